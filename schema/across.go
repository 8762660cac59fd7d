package schema

import (
	"fmt"
	"net/netip"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// minRise is the least number of good checks that lets a client in. After a reload of
// HAProxy one came before its agent had been asked: measured with HAProxy 2.6 and 3.0,
// 912 of 10,696 requests went to clients that drained.
const minRise = 2

// across checks what one attribute alone cannot tell, on the canonical tree.
func across(tree *input.Node, list *diag.List) {
	sameAddress(tree, list)
	manyLayers(tree, list)
	views(tree, "", list)
}

// views checks what a layer's custom_json may bring about as well.
func views(tree *input.Node, prefix string, list *diag.List) {
	for _, section := range []string{"plone_instances", "plone_zeoserver"} {
		nfs, gluster := tree.Lookup(section, "nfs_blobs"), tree.Lookup(section, "gluster_blobs")
		if isTrue(nfs) && isTrue(gluster) {
			list.Add(diag.Diagnostic{Code: "two-blob-mounts", Span: gluster.Span, Path: prefix + section + ".gluster_blobs",
				Message: "nfs_blobs is on too" + line(gluster.Span, nfs.Span), Remedy: "set one of them to false"})
		}
	}
	if n := tree.Lookup("haproxy", "rise"); n != nil && n.Text == "1" {
		list.Add(diag.Diagnostic{Code: "rise-raised", Span: n.Span, Path: prefix + "haproxy.rise",
			Message: "one good check lets a client in too early after a reload of HAProxy, so two are wanted", Remedy: "write 2, or leave it out"})
	}
	for _, app := range fieldsOf(tree.Get("deploy")) {
		notShared(app.Value, diag.JoinKey(prefix+"deploy", app.Key), list)
		notAFile(app.Value, diag.JoinKey(prefix+"deploy", app.Key), list)
		packageVariablesOf(app.Value, diag.JoinKey(prefix+"deploy", app.Key), list)
		samePart(app.Value.Get("parts"), diag.JoinKey(prefix+"deploy", app.Key)+".parts", list)
		client, ok := text(app.Value.Lookup("parts", "client"))
		if !ok {
			client = Lookup("deploy.<app>.parts.client").Default.Text
		}
		pastedFaults(app.Value.Get("buildout_additional_config"), diag.JoinKey(prefix+"deploy", app.Key)+".buildout_additional_config", client, list)
	}
	if varnish := tree.Get("varnish_plone"); varnish != nil {
		cookieFaults(varnish, prefix+"varnish_plone", list)
	}
	badExpressions(tree.Get("varnish_purge_urls"), prefix+"varnish_purge_urls", list)
	pastedFaults(tree.Lookup("deploy_buildout", "additional_config"), prefix+"deploy_buildout.additional_config", Lookup("deploy.<app>.parts.client").Default.Text, list)
	for _, path := range calendars() {
		if n := tree.Lookup(strings.Split(path, ".")...); n != nil {
			if r := backwards(n.Text); r != "" {
				list.Add(diag.Diagnostic{Code: "bad-value", Span: n.Span, Path: prefix + path,
					Message: "the range " + r + " does not go upwards, which systemd refuses", Remedy: "give the lesser one first, or a list with commas"})
			}
		}
	}
	for _, section := range []string{"deploy_buildout", "deploy_python"} {
		notShared(tree.Get(section), prefix+section, list)
	}
}

func isTrue(n *input.Node) bool { return n != nil && n.Kind == input.Bool && n.Text == "true" }

// calendars are the paths of the attributes of that type.
var calendars = sync.OnceValue(func() (paths []string) {
	Root().EachValue(func(a *Attr) {
		if a.short == "calendar" {
			paths = append(paths, a.Path)
		}
	})
	return paths
})

var calendarRange = regexp.MustCompile(`(\d+|[A-Za-z]+)\.\.(\d+|[A-Za-z]+)`)

// backwards is the first range of a calendar that does not go upwards, which no pattern
// can say; empty: there is none.
func backwards(calendar string) string {
	at := func(text string) int {
		if n, err := strconv.Atoi(text); err == nil {
			return n
		}
		return strings.Index("mon tue wed thu fri sat sun", strings.ToLower(text[:min(3, len(text))]))
	}
	for _, r := range calendarRange.FindAllStringSubmatch(calendar, -1) {
		if at(r[1]) >= at(r[2]) {
			return r[0]
		}
	}
	return ""
}

// madeBy is what makes the releases of an app as the stack has it.
func madeBy(app *input.Node) *builder.Builder {
	name, _ := text(app.Get("builder"))
	return (&App{Builder: name}).MadeBy()
}

// notShared warns of what a release's builder makes and releases would share.
func notShared(app *input.Node, path string, list *diag.List) {
	by := madeBy(app)
	warn := func(span diag.Span, name, what string) {
		list.Add(diag.Diagnostic{Code: "not-shared", Span: span, Path: path + "." + name,
			Message: strconv.Quote(what) + " belongs to each release alone and is not shared", Remedy: "take it out"})
	}
	for _, f := range fieldsOf(app.Get("symlink_before_migrate")) {
		if by.Apart(f.Key) || by.Apart(f.Value.Text) {
			warn(f.Span, "symlink_before_migrate", f.Key)
		}
	}
	for _, name := range []string{"purge_before_symlink", "create_dirs_before_symlink"} {
		for _, item := range itemsOf(app.Get(name)) {
			if by.Apart(item.Text) {
				warn(item.Span, name, item.Text)
			}
		}
	}
}

// notAFile reports files of a release that its builder writes, or that lie where
// releases share what is written.
func notAFile(app *input.Node, path string, list *diag.List) {
	by := madeBy(app)
	config, _ := text(app.Get("buildout_config"))
	for _, f := range fieldsOf(app.Get("files")) {
		message := ""
		if _, made := by.Part(f.Key); made || f.Key == config {
			message = "this is written when a release is made"
		}
		if strings.HasPrefix(f.Key+"/", ".git/") {
			message = "this is git's own"
		}
		for _, other := range fieldsOf(app.Get("files")) {
			if strings.HasPrefix(other.Key, f.Key+"/") {
				message = "this is a folder: " + other.Key + " lies in it"
			}
		}
		for _, link := range fieldsOf(app.Get("symlink_before_migrate")) {
			if strings.HasPrefix(f.Key+"/", link.Value.Text+"/") {
				message = link.Value.Text + " is a folder that releases share"
			}
		}
		if message != "" {
			list.Add(diag.Diagnostic{Code: "not-a-file", Span: f.Span, Path: diag.JoinKey(path+".files", f.Key), Message: message, Remedy: "give the file another path"})
		}
	}
}

// sameAddress reports two hosts with one address, or that one logs in to at one.
func sameAddress(tree *input.Node, list *diag.List) {
	type owner struct {
		host string
		span diag.Span
	}
	own := func(h *input.Node) (string, *input.Node) { return "address", h.Get("address") }
	login := func(h *input.Node) (string, *input.Node) {
		if n := h.Get("ssh_address"); n != nil {
			return "ssh_address", n
		}
		return own(h)
	}
	said := map[string]bool{}
	for _, way := range []struct {
		at  func(h *input.Node) (string, *input.Node)
		say string
	}{{own, "%s has it"}, {login, "plonec logs in to %s there"}} {
		owners := map[string]owner{}
		for _, f := range fieldsOf(tree.Get("instances")) {
			name, n := way.at(f.Value)
			address, ok := text(n)
			if !ok {
				continue
			}
			if ip, err := netip.ParseAddr(address); err == nil {
				address = ip.Unmap().String()
			}
			address = strings.TrimSuffix(strings.ToLower(address), ".")
			first, taken := owners[address]
			path := diag.JoinKey("instances", f.Key) + "." + name
			switch {
			case !taken:
				owners[address] = owner{f.Key, n.Span}
			case !said[path]:
				said[path] = true
				list.Add(diag.Diagnostic{Code: "same-address", Span: n.Span, Path: path,
					Message: fmt.Sprintf(way.say, first.host) + line(n.Span, first.span), Remedy: "give each host its own"})
			}
		}
	}
}

// line says where the other of two places is, in brackets.
func line(here, other diag.Span) string {
	number := strconv.Itoa(other.Line())
	switch {
	case !other.HasPlace():
		return ""
	case here.File == other.File:
		return " (line " + number + ")"
	}
	return " (" + other.File.Name + ", line " + number + ")"
}

// manyLayers reports an instance in more layers than can be.
func manyLayers(tree *input.Node, list *diag.List) {
	for _, f := range fieldsOf(tree.Get("instances")) {
		if layers := f.Value.Get("layers"); len(itemsOf(layers)) > maxLayers {
			list.Add(diag.Diagnostic{Code: "bad-value", Span: layers.Span, Path: diag.JoinKey("instances", f.Key) + ".layers",
				Message: "a host may be in " + strconv.Itoa(maxLayers) + " layers", Remedy: "join some of them"})
		}
	}
}

// maxLayers is how many layers a host may be in.
const maxLayers = 64

// sortedUnique sorts names and drops those that come twice.
func sortedUnique(names []string) []string {
	names = append([]string(nil), names...)
	sort.Strings(names)
	kept := names[:0]
	for i, name := range names {
		if i == 0 || name != names[i-1] {
			kept = append(kept, name)
		}
	}
	return kept
}

package main

import (
	"fmt"
	"maps"
	"os"
	pathpkg "path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/diff"
	"github.com/plonec/plonec/internal/report"
	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/internal/words"
	"github.com/plonec/plonec/schema"
)

// A whereItShows is what one stack makes of an attribute, or of a group.
type whereItShows struct {
	Stack   []string      `json:"stack"`
	Broken  int           `json:"errors,omitempty"` // of the stack: nothing else is known then
	Set     []settingJSON `json:"set"`
	Shows   []shownFiles  `json:"shows_here"`
	Tried   []string      `json:"tried"` // the values that show it
	Skipped int           `json:"not_tried,omitempty"`

	group bool
}

// A settingJSON is a place that sets an attribute.
type settingJSON struct {
	Attribute string `json:"attribute"`
	Value     string `json:"value"` // JSON; *** for a secret
	Place     string `json:"place"` // file:line:col
}

// shownFiles are files of one folder on some hosts.
type shownFiles struct {
	Hosts []string `json:"hosts"`
	Paths []string `json:"paths"`

	all bool // the hosts of the stack
}

// Bounds of the search: how many values of one setting compile before it ends,
// how many are tried for that, and how many compilations there are in all.
const (
	enoughValues = 3
	mostValues   = 12
	mostTries    = 400
)

// where finds out what a stack makes of an attribute. Without files it is the
// one in this folder; it is nil where there is none.
func (f *explainFlags) where(out *reporter, path string, files []string) (*whereItShows, error) {
	given := len(files) > 0
	files, err := compile.StackFiles(files, &f.Options)
	if err != nil {
		return nil, nil // no stack here: the attribute alone is explained
	}
	w := &whereItShows{Stack: files, Set: []settingJSON{}, Shows: []shownFiles{}, Tried: []string{}}
	text, diags, err := compile.Read(files, &f.Options)
	if err != nil {
		return nil, err
	}
	var now *compile.Built
	if text != nil {
		if now, diags, err = text.Compile(); err != nil {
			return nil, err
		}
	}
	if now == nil {
		if given && !out.json {
			if err := out.report(diags, ""); err != nil {
				return nil, err
			}
		}
		w.Broken = diags.Errors()
		return w, nil
	}
	w.search(text, now, path)
	return w, nil
}

// search fills in where an attribute is set, and where it shows.
func (w *whereItShows) search(text *compile.Text, now *compile.Built, path string) {
	for _, s := range now.Stack.Settings(path) {
		if s.Value != nil {
			w.Set = append(w.Set, settingJSON{s.String(), s.Shown(), placeOf(s.Key)})
		}
	}
	leaves := schema.Lookup(path).Leaves()
	w.group = len(leaves) > 1
	var names []string
	for app := range now.Stack.Base.Deploy {
		names = append(names, app)
	}
	for _, h := range now.Topology.Hosts {
		names = append(names, h.Layers...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	hostsOf := map[string]map[string]bool{} // by path
	tries := 0
	for _, leaf := range leaves {
		at := leaf.Path
		if !w.group {
			at = path
		} else if below, ok := strings.CutPrefix(leaf.Path, schema.Lookup(path).Path); ok {
			at = path + below // with the names that were asked for
		}
		for _, s := range now.Stack.Settings(at) {
			compiles := 0
			for i, value := range s.Others(names) {
				if compiles == enoughValues || i == mostValues {
					break
				}
				if tries++; tries > mostTries {
					w.Skipped++
					break
				}
				over := &schema.Override{Path: s.Path, Value: value}
				other, _, err := text.Compile(over)
				if err != nil || other == nil {
					continue
				}
				compiles++
				if !w.group {
					w.Tried = append(w.Tried, over.Shown())
				}
				for p := range diff.Unlike(now.Tree.Manifest, other.Tree.Manifest) {
					if !hasHost(now, p.Host) || !hasHost(other, p.Host) {
						continue // it comes or goes as a whole
					}
					if hostsOf[p.Path] == nil {
						hostsOf[p.Path] = map[string]bool{}
					}
					hostsOf[p.Path][p.Host] = true
				}
			}
		}
	}
	slices.Sort(w.Tried)
	w.Tried = slices.Compact(w.Tried)
	w.fold(hostsOf, now)
}

// fold puts the files of one folder that show on the same hosts together.
func (w *whereItShows) fold(hostsOf map[string]map[string]bool, now *compile.Built) {
	for _, path := range slices.Sorted(maps.Keys(hostsOf)) {
		hosts := slices.Sorted(maps.Keys(hostsOf[path]))
		i := slices.IndexFunc(w.Shows, func(s shownFiles) bool {
			return slices.Equal(s.Hosts, hosts) && pathpkg.Dir(s.Paths[0]) == pathpkg.Dir(path)
		})
		if i >= 0 {
			w.Shows[i].Paths = append(w.Shows[i].Paths, path)
			continue
		}
		w.Shows = append(w.Shows, shownFiles{hosts, []string{path}, len(hosts) == len(now.Topology.Hosts) && len(hosts) > 2})
	}
}

// mostSettings is how many places that set a group are listed.
const mostSettings = 20

// print writes the rows of a stack below those of the attribute.
func (w *whereItShows) print(b *strings.Builder) {
	if w == nil {
		return
	}
	row := func(name, text string) { fmt.Fprintf(b, "%-11s %s\n", name, terminal.Printable(text)) }
	stack := strings.Join(w.Stack, " ")
	if w.Broken > 0 {
		row("shows here", fmt.Sprintf("not known: %s has %s; see plonec check", stack, words.Count(w.Broken, "error")))
		return
	}
	name := "set"
	for i, s := range w.Set {
		if i == mostSettings {
			row("", fmt.Sprintf("… %d more", len(w.Set)-i))
			break
		}
		row(name, fmt.Sprintf("%s  %s: %s", s.Place, s.Attribute, s.Value))
		name = ""
	}
	if len(w.Set) == 0 {
		row(name, "nowhere in "+stack)
	}
	name = "shows here"
	for _, s := range w.Shows {
		on := strings.Join(words.Runs(s.Hosts), " ")
		if s.all {
			on = fmt.Sprintf("all %d hosts", len(s.Hosts))
		}
		row(name, on+"  "+words.Braces(s.Paths))
		name = ""
	}
	switch {
	case len(w.Shows) == 0 && len(w.Tried) > 0:
		row(name, "in no file of "+stack+", with "+strings.Join(w.Tried, ", ")+" in its place")
	case len(w.Shows) == 0 && w.group:
		row(name, "in no file of "+stack)
	case len(w.Shows) == 0:
		row(name, "not known: no other value was found that this stack compiles with")
	case !w.group:
		row("", "seen with "+strings.Join(w.Tried, ", ")+" in its place")
	}
	if w.Skipped > 0 {
		row("", fmt.Sprintf("%s left out: name one attribute, or one host", words.Count(w.Skipped, "value")))
	}
}

func hasHost(c *compile.Built, name string) bool {
	return slices.ContainsFunc(c.Tree.Manifest.Hosts, func(h tree.Host) bool { return h.Name == name })
}

// placeOf is file:line:col, or the file where no place in it is known.
func placeOf(span diag.Span) string {
	if span.File == nil {
		return "computed"
	}
	if !span.HasPlace() {
		return span.File.Name
	}
	at := span.File.Position(span.Start)
	return fmt.Sprintf("%s:%d:%d", span.File.Name, at.Line, at.Col)
}

// effect shows what the values of --set would change.
func (f *explainFlags) effect(out *reporter, files []string) error {
	text, diags, err := compile.Read(files, &f.Options)
	if err != nil {
		return err
	}
	if text == nil {
		return out.finish(diags, "", result{})
	}
	var over []*schema.Override
	for i, set := range f.set {
		o, err := schema.ParseOverride("--set", set, len(text.Files)+i)
		if err != nil {
			return fmt.Errorf("--set %s: %w", terminal.Printable(set), err)
		}
		over = append(over, o)
	}
	before, known, err := text.Compile()
	if err != nil {
		return err
	}
	if before == nil {
		return out.finish(known, "", result{})
	}
	after, diags, err := text.Compile(over...)
	if err != nil {
		return err
	}
	diags = slices.DeleteFunc(diags, func(d diag.Diagnostic) bool { // what the stack has anyway
		return slices.ContainsFunc(known, func(k diag.Diagnostic) bool {
			return k.Code == d.Code && k.Path == d.Path && k.Message == d.Message
		})
	})
	if after == nil {
		return out.finish(diags, "", result{})
	}
	work, err := os.MkdirTemp("", "plonec-explain-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	now := &diff.Side{Label: "the stack", Built: before}
	if now.Disk, err = diff.OnDisk(before, filepath.Join(work, "before")); err != nil {
		return err
	}
	r, err := diff.Compare(now, after, &f.Options, work, given(f.Tree, nil, nil))
	if err != nil {
		return err
	}
	r.After, r.Full, r.Color = "the same with --set", f.full, terminal.UseColor(out.stdout)
	r.Causes = nil // Set says it better
	for _, o := range over {
		was := before.Stack.Replaces(o)
		set := report.Setting{Attribute: o.String(), From: was.Shown(), To: o.Shown()}
		if was.Value != nil {
			set.Place = placeOf(was.Key)
		}
		r.Set = append(r.Set, set)
	}
	if err := out.finish(diags, "", result{Effect: r}); err != nil || out.json {
		return err
	}
	for _, s := range r.Set {
		at := ""
		if s.Place != "" {
			at = "  (" + s.Place + ")"
		}
		fmt.Fprintf(out.stdout, "set     %s: %s → %s%s\n", terminal.Printable(s.Attribute), terminal.Printable(s.From), terminal.Printable(s.To), terminal.Printable(at))
	}
	fmt.Fprint(out.stdout, r.Text())
	return nil
}

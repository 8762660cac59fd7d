package project

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/topology"
)

// inFolder finds paths that begin in the release.
var inFolder = regexp.MustCompile(regexp.QuoteMeta(folder) + `/[^\s"',;:]+`)

// written are directories that buildout itself fills.
var written = regexp.MustCompile(`^(bin|parts|eggs|develop-eggs)-directory$|^(sources-dir|download-cache|installed)$`)

func (v *view) besideCheckout(say func(diag.Span, string, string)) {
	said := map[string]bool{}
	look := func(section, name, value, where string) {
		if said[where] {
			return
		}
		said[where] = true
		at := v.at(section, name, "..")
		if at.File == nil { // by a reference
			at = v.at(section, name, "")
		}
		remedy := fmt.Sprintf("bring it by deploy.%[1]s.files, or by a link of deploy.%[1]s.symlink_before_migrate, and name it by its path in the release", v.app.Name)
		if section == "buildout" && written.MatchString(name) {
			remedy = "take it out: each release has its own"
		}
		say(at, fmt.Sprintf("%s of [%s] is at %s, beside the checkout", name, section, where), remedy)
	}
	for _, section := range append([]string{"buildout"}, v.parts()...) {
		for _, name := range slices.Sorted(maps.Keys(v.Effective[section])) {
			value := v.Effective[section][name]
			for _, place := range inFolder.FindAllString(value, -1) {
				if rel, out := outside(strings.TrimPrefix(place, folder+"/")); out {
					look(section, name, value, rel)
				}
			}
			for line := range strings.Lines(value) { // which a recipe takes from where buildout runs
				if line = strings.TrimSpace(line); section != "buildout" && strings.HasPrefix(line, "../") && !strings.ContainsAny(line, " \t") {
					look(section, name, value, path.Clean(line))
				}
			}
			if section == "buildout" && slices.Contains([]string{"develop", "eggs-directory", "download-cache", "find-links", "sources-dir"}, name) {
				history := v.Own[section][name].History
				for i, h := range slices.Backward(history) {
					if h.Operation == "SET" || h.Operation == "OVERRIDE" { // what stood before it is gone
						history = history[i:]
						break
					}
				}
				for _, h := range history {
					for _, word := range strings.Fields(h.Value) {
						if rel, out := outside(word); out {
							look(section, name, word, rel)
						}
					}
				}
			}
		}
	}
}

// outside tells whether a path leads out of the release.
func outside(place string) (rel string, out bool) {
	rel = path.Clean(place)
	return rel, rel == ".." || strings.HasPrefix(rel, "../")
}

// bySSH finds a source that is fetched by ssh.
var bySSH = regexp.MustCompile(`^\S+\s+((?:git\+|hg\+|svn\+)?ssh://|(?:[\w.-]+@)?[\w.-]+:/?[^/])`)

func (v *view) sourceKeys(say func(diag.Span, string, string)) {
	if v.app.Config.SCM.SSHKey.IsSet() {
		return
	}
	section, names := v.checkouts()
	for _, name := range names {
		if bySSH.MatchString(v.known(section, name)) {
			say(v.at(section, name, ""), fmt.Sprintf("the source %s is fetched by ssh, and the stack has no key for it", name),
				fmt.Sprintf("give deploy.%s.scm.ssh_key one that may read it, or fetch it by https", v.app.Name))
		}
	}
}

// checkouts are the sources of mr.developer that a host fetches, and the section that
// they stand in.
func (v *view) checkouts() (section string, names []string) {
	if !strings.Contains(v.value("buildout", "extensions"), "mr.developer") {
		return "", nil
	}
	section = cmp.Or(v.value("buildout", "sources"), "sources")
	taken := strings.Fields(v.value("buildout", "auto-checkout"))
	for _, name := range slices.Sorted(maps.Keys(v.Own[section])) {
		if slices.ContainsFunc(taken, func(t string) bool { is, _ := path.Match(t, name); return is }) {
			names = append(names, name)
		}
	}
	return section, names
}

func (v *view) deadAddresses(say func(diag.Span, string, string)) {
	for _, option := range []string{"index", "find-links"} {
		for _, address := range strings.Fields(v.value("buildout", option)) {
			if message, remedy := topology.DeadAddress("", address); message != "" {
				say(v.at("buildout", option, address), address+": "+message, remedy)
			}
		}
	}
	section, names := v.checkouts()
	for _, name := range names {
		if words := strings.Fields(v.known(section, name)); len(words) > 1 {
			if message, remedy := topology.DeadAddress(words[0], words[1]); message != "" {
				say(v.at(section, name, ""), fmt.Sprintf("the source %s cannot be fetched: %s", name, message), remedy)
			}
		}
	}
}

package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// joined writes a stack's own configuration, with what include gives in the
// place of each secret in it, counted from 1.
func joined(p schema.Pasted, include func(n int) string) string {
	var parts []string
	n := 0
	for _, piece := range p {
		text := strings.TrimRight(strings.TrimLeft(piece.Text, "\r\n"), " \t\r\n")
		if piece.Secret.IsSet() {
			n++
			text = include(n)
		}
		if text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, "\n")
}

// secretPieces gives a file for each secret in a stack's own configuration.
func secretPieces(p schema.Pasted, file func(n int) SecretFile) []SecretFile {
	var files []SecretFile
	for _, piece := range p {
		if piece.Secret.IsSet() {
			f := file(len(files) + 1)
			f.Format, f.Mode, f.Entries = "raw", 0o640, []SecretEntry{entry("", piece.Secret)}
			files = append(files, f)
		}
	}
	return files
}

// pasted is text of the stack's that goes into nginx.conf.
type pasted struct {
	From   string // the attribute that it comes from
	name   string // of its secrets' files
	indent string // of their includes
	pieces schema.Pasted
}

// Text is the text with its secrets included: nginx' master reads them, as root.
func (p pasted) Text() string {
	return joined(p.pieces, func(n int) string { return p.indent + "include " + p.secretPath(n) + ";" })
}

// ownText is text of the stack's that goes into a file of a daemon's that includes nothing.
type ownText struct {
	From string // the attribute that it comes from
	Text string // empty: there is none
}

func newOwnText(from, text string) ownText {
	return ownText{from, joined(schema.Pasted{{Text: text}}, nil)}
}

// PastedLine says of a line of a file, counted from 1, from which attribute of the
// stack it was pasted; empty: it was not.
func PastedLine(file []byte, line int) (from string) {
	n := 0
	for text := range strings.Lines(string(file)) {
		if n++; n == line {
			return from
		}
		from = after(from, text)
	}
	return ""
}

// WithoutPasted is a file less what was pasted from an attribute.
func WithoutPasted(file []byte, attribute string) []byte {
	var kept strings.Builder
	from := ""
	for text := range strings.Lines(string(file)) {
		if from = after(from, text); from != attribute {
			kept.WriteString(text)
		}
	}
	return []byte(kept.String())
}

// PastedFrom lists the attributes of which a file has text, each once.
func PastedFrom(file []byte) []string {
	var all []string
	from := ""
	for text := range strings.Lines(string(file)) {
		if from = after(from, text); from != "" && !slices.Contains(all, from) {
			all = append(all, from)
		}
	}
	return all
}

// The comments around what is pasted, less the attribute.
const pastedBegins, pastedEnds = "# from ", "# end of "

// after says from which attribute what follows a line is pasted, where the line
// itself is of one; empty: of none.
func after(from, line string) string {
	line = strings.TrimSpace(line)
	if attribute, ok := strings.CutPrefix(line, pastedBegins); ok && from == "" {
		return attribute
	}
	if line == pastedEnds+from {
		return ""
	}
	return from
}

// secretPath is where the n-th secret of the text lies.
func (p pasted) secretPath(n int) string {
	return fmt.Sprintf("/etc/nginx/secrets/%s-%d.conf", p.name, n)
}

// secretFiles gives the secrets of the text.
func (p pasted) secretFiles() []SecretFile {
	return secretPieces(p.pieces, func(n int) SecretFile {
		return SecretFile{Path: p.secretPath(n), Owner: "root:root", Effects: service.Nginx.Effects(p.secretPath(n))}
	})
}

// allPasted is all of the stack's own text in nginx.conf, as often as it stands there.
func (v hostView) allPasted() []pasted {
	all := []pasted{v.additionalServers()}
	for _, s := range v.Servers() {
		all = append(all, s.Pasted...)
	}
	return all
}

// includedSecrets gives the secrets of all texts that nginx.conf holds, each once.
func includedSecrets(v hostView) []SecretFile {
	var all []SecretFile
	seen := map[string]bool{}
	for _, p := range v.allPasted() {
		if !seen[p.name] {
			all = append(all, p.secretFiles()...)
		}
		seen[p.name] = true
	}
	return all
}

// secretConfigs are the names under which a release has the secrets of its
// app's buildout_additional_config. On the host they lie beside its deploy.cfg.
func secretConfigs(a *topology.App) []string {
	var names []string
	for _, f := range configSecrets(a) {
		names = append(names, f.Path[len(appDir(a))+1:])
	}
	return names
}

// configSecrets gives those secrets, for a new release.
func configSecrets(a *topology.App) []SecretFile {
	if !a.Builder().Reads(deployCfgName) {
		return nil
	}
	return secretPieces(a.Config.BuildoutAdditionalConfig, func(n int) SecretFile {
		return SecretFile{
			Path:  fmt.Sprintf("%s/plonec-secret-%d.cfg", appDir(a), n),
			Owner: "root:" + a.Config.Group, Effects: []string{"deploy:" + a.Name},
		}
	})
}

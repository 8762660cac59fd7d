package diag

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// GitHub is the format of GitHub's annotations: a workflow command a line,
// which a run of Actions shows beside the line of the file. It holds no source
// line, and so nothing that is masked.
type GitHub struct {
	// Path turns the name of a file into its path in the repository, with
	// slashes; nil: it is that already.
	Path func(name string) string
}

// Format writes the diagnostics to w.
func (g GitHub) Format(w io.Writer, list List) error {
	out := bufio.NewWriter(w)
	for _, d := range list.Sorted() {
		var properties []string
		set := func(name string, value any) {
			properties = append(properties, name+"="+githubProperty.Replace(fmt.Sprint(value)))
		}
		if f := d.Span.File; f != nil {
			set("file", Visible(inRepository(g.Path, f.Name), 4096))
			if d.Span.HasPlace() {
				start, end := f.Position(d.Span.Start), f.Position(max(d.Span.End-1, d.Span.Start))
				set("line", start.Line)
				set("endLine", end.Line)
				if start.Line == end.Line { // columns are for one line alone
					set("col", start.Col)
					set("endColumn", end.Col) // of the last character
				}
			}
		}
		set("title", "plonec "+Visible(d.Code, maxPath))
		fmt.Fprintf(out, "::%s %s::%s\n", d.Severity(), strings.Join(properties, ","), githubData.Replace(d.sentence()))
	}
	return out.Flush()
}

// GitHubError is one annotation that belongs to no file.
func GitHubError(text string) string {
	return "::error title=plonec::" + githubData.Replace(text) + "\n"
}

// What a workflow command does not take as it is, as toolkit's escapeData and
// escapeProperty have it.
var (
	githubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// sentence is what is wrong and, on a line of its own, what to write instead.
func (d Diagnostic) sentence() string {
	text := Visible(d.Path, maxPath)
	if d.Message != "" {
		if text != "" {
			text += ": "
		}
		text += Visible(d.Message, maxMessage)
	}
	if d.Remedy != "" {
		text += "\n" + Visible(d.Remedy, maxMessage)
	}
	return text
}

// inRepository is a file's path in the repository.
func inRepository(path func(string) string, name string) string {
	if path == nil {
		return name
	}
	return path(name)
}

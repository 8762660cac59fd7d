package compile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/plonec/plonec/internal/certificate"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/schema"
)

// withFiles puts what is in the files that a stack names into it, and says which files
// these are. Of a certificate's nothing but certificates is taken: any file of the
// repository could be named. first is the file of what has no place.
func withFiles(text *input.Node, first string) (*input.Node, []input.Read, diag.List) {
	var files []input.Read
	var list diag.List
	text = schema.WithFiles(text, func(content schema.Content, path string, at diag.Span, attribute string) (string, bool) {
		read, wrong := input.Beside(at, first, path)
		if wrong != nil {
			wrong.Path = attribute
			list.Add(*wrong)
			return "", false
		}
		var found string
		var err error
		code, remedy := "bad-certificate", certificate.Remedy
		if content == schema.HTML {
			code, remedy = "bad-page", func(error) string { return "name a file in HTML, in UTF-8, whose images come from elsewhere" }
			found, err = page(read.Data)
		} else {
			found, err = certificate.Text(string(read.Data))
		}
		if err != nil {
			list.Add(diag.Diagnostic{Code: code, Span: at, Path: attribute, Message: path + ": " + err.Error(), Remedy: remedy(err)})
			return "", false
		}
		if !slices.ContainsFunc(files, func(r input.Read) bool { return r.Path == read.Path }) {
			files = append(files, read)
		}
		return found, true
	})
	return text, files, list
}

// mostOfPage is the largest page, in bytes.
const mostOfPage = 256 << 10

// page is the text of a page as the tree has it, with line feeds alone.
func page(data []byte) (string, error) {
	text := strings.ReplaceAll(strings.TrimPrefix(string(data), "\ufeff"), "\r\n", "\n")
	switch {
	case len(text) > mostOfPage:
		return "", fmt.Errorf("the page has %d bytes, and may have %d", len(text), mostOfPage)
	case !utf8.ValidString(text):
		return "", errors.New("the page is not in UTF-8")
	case !strings.HasPrefix(strings.TrimSpace(text), "<"):
		return "", errors.New("no page in HTML: it does not begin with <")
	}
	return text, nil
}

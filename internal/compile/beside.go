package compile

import (
	"slices"

	"github.com/plonec/plonec/internal/certificate"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/schema"
)

// withFiles puts the certificates of the files that a stack names into it, and says which
// files these are. Of a file nothing but its certificates is taken: any file of the
// repository could be named. first is the file of what has no place.
func withFiles(text *input.Node, first string) (*input.Node, []input.Read, diag.List) {
	var files []input.Read
	var list diag.List
	text = schema.WithFiles(text, func(path string, at diag.Span, attribute string) (string, bool) {
		read, wrong := input.Beside(at, first, path)
		if wrong != nil {
			wrong.Path = attribute
			list.Add(*wrong)
			return "", false
		}
		found, err := certificate.Text(string(read.Data))
		if err != nil {
			list.Add(diag.Diagnostic{Code: "bad-certificate", Span: at, Path: attribute, Message: path + ": " + err.Error(), Remedy: certificate.Remedy(err)})
			return "", false
		}
		if !slices.ContainsFunc(files, func(r input.Read) bool { return r.Path == read.Path }) {
			files = append(files, read)
		}
		return found, true
	})
	return text, files, list
}

package input

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/diag/diagtest"
)

// secret stands in tests for what must not be printed.
const secret = "s3cret"

// checkList holds what must hold of every list: the style, and that no secret
// is printed.
func checkList(t *testing.T, list diag.List) {
	t.Helper()
	diagtest.Style(t, list)
	text := printed(t, list)
	if testing.Verbose() {
		t.Logf("%.600s", text)
	}
	if strings.Contains(text, secret) {
		t.Errorf("the secret is printed")
	}
}

func printed(t *testing.T, list diag.List) string {
	t.Helper()
	var b bytes.Buffer
	if err := (diag.Text{}).Format(&b, list); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func writeFile(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

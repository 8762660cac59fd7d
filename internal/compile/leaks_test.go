package compile

import (
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/diag"
)

// An argument of Jsonnet's is in the manifest: one that looks like a secret is
// warned of by its name.
func TestArgumentsThatLookSecret(t *testing.T) {
	const secret = "S3NT1NEL"
	for value, warned := range map[string]bool{"https://me:" + secret + "@example.org/": true, "https://example.org/": false} {
		list := argumentsInTree(&Options{ExtStr: map[string]string{"url": value, "size": "4"}, TLAStr: map[string]string{"url": value}})
		if got := len(list) == 2; got != warned {
			t.Errorf("%s: %+v", value, list)
		}
		for _, d := range list {
			if d.Severity() != diag.Warning || strings.Contains(d.Message+d.Remedy, secret) || !strings.Contains(d.Message, "str url") {
				t.Errorf("%+v", d)
			}
		}
	}
}

package escape

import (
	"fmt"
	"strings"
)

// VCL gives s as a string in VCL. The short form has no escapes, so that a
// text with a quote takes the long form, {"…"}, which cannot hold "}. That is
// refused, as are control characters.
func VCL(s string) (string, error) {
	if err := printable(s); err != nil {
		return "", err
	}
	if !strings.Contains(s, `"`) {
		return `"` + s + `"`, nil
	}
	if strings.Contains(s, `"}`) {
		return "", fmt.Errorf(`%q has "}, which ends a long string in VCL`, s)
	}
	return `{"` + s + `"}`, nil
}

package escape

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

var (
	nginxPlain  = regexp.MustCompile(`^[A-Za-z0-9_./:@,=+-]+$`)
	nginxQuotes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
)

// Nginx gives s as one parameter of a directive in nginx.conf. A dollar begins
// a variable in most directives and cannot be escaped, so that it is refused,
// as are control characters.
func Nginx(s string) (string, error) {
	if err := printable(s); err != nil {
		return "", err
	}
	if strings.Contains(s, "$") {
		return "", fmt.Errorf("%q has a dollar, which begins a variable in nginx", s)
	}
	if nginxPlain.MatchString(s) {
		return s, nil
	}
	return `"` + nginxQuotes.Replace(s) + `"`, nil
}

// URLPath gives s, a decoded path, as it stands in an address: what is no
// letter, digit or one of -._~/ is percent-encoded, which leaves nothing that
// any of our syntaxes takes for its own.
func URLPath(s string) string {
	parts := strings.Split(s, "/")
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(url.QueryEscape(p), "+", "%20")
	}
	return strings.Join(parts, "/")
}

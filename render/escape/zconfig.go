package escape

import "strings"

// ZConfig gives s as the value of a key in a file that ZConfig reads, such as
// zope.conf, where $ begins a substitution. Buildout, which writes such files,
// leaves $$ alone, also before a brace.
func ZConfig(s string) (string, error) {
	if err := oneLine(s); err != nil {
		return "", err
	}
	return strings.ReplaceAll(s, "$", "$$"), nil
}

var libpq = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

// Libpq gives s as a value in a PostgreSQL connection string.
func Libpq(s string) string { return "'" + libpq.Replace(s) + "'" }

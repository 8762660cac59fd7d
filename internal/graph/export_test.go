package graph

// For tests.
var (
	Shown   = shown
	Mermaid = mermaid
	DOT     = dot
)

// Wrap breaks a text as a name is broken.
func Wrap(text string, limit int) []string { return styleName.wrap(text, limit) }

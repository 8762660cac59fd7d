package escape

import (
	"fmt"
	"unicode/utf8"
)

// printable refuses what is no text, and the control characters, which end a
// line or a string in one reader or another.
func printable(s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("%q is not UTF-8", s)
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return fmt.Errorf("%q holds a control character", s)
		}
	}
	return nil
}

package diag

import "errors"

// A remedied error knows what to do about it.
type remedied struct{ text, remedy string }

func (e *remedied) Error() string { return e.text }

// WithRemedy is an error with these words, and what to do about it. Both are lower
// case, without a full stop.
func WithRemedy(text, remedy string) error { return &remedied{text, remedy} }

// Remedy is the words of an error and what to do about it. Where an error in err
// has a remedy, both are that one's; else the words are err's own.
func Remedy(err error) (text, remedy string) {
	var r *remedied
	if errors.As(err, &r) {
		return r.text, r.remedy
	}
	return err.Error(), ""
}

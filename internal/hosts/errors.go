package hosts

import (
	"errors"
	"fmt"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/remote"
)

// A HostError is what went wrong on one host.
type HostError struct {
	Host, Step string
	Err        error
}

func (e *HostError) Error() string { return fmt.Sprintf("%s: %s: %v", e.Host, e.Step, e.Err) }

// Unwrap gives the cause.
func (e *HostError) Unwrap() error { return e.Err }

// A told error is one that an event has told of, with its remedy.
type told struct{ error }

// Unwrap gives the error itself.
func (t *told) Unwrap() error { return t.error }

// Told tells whether an event has told of an error, or of one in it.
func Told(err error) bool {
	var t *told
	return errors.As(err, &t)
}

// Hint is what to do about an error, less the secrets in it; empty where it does
// not know.
func (f *Fleet) Hint(err error) string {
	_, hint := f.words(err)
	return hint
}

// HostErrors are the errors of hosts in an error, in their order.
func HostErrors(err error) []*HostError {
	switch e := err.(type) {
	case *HostError:
		return []*HostError{e}
	case interface{ Unwrap() []error }:
		var list []*HostError
		for _, err := range e.Unwrap() {
			list = append(list, HostErrors(err)...)
		}
		return list
	case interface{ Unwrap() error }:
		return HostErrors(e.Unwrap())
	}
	return nil
}

// Locked tells whether an error says that another plonec is at work.
func Locked(err error) bool {
	var l *remote.LockedError
	return errors.As(err, &l)
}

// words are an error's text and its remedy, less the secrets that a program on
// a host may have put into them.
func (f *Fleet) words(err error) (text, hint string) {
	text, hint = diag.Remedy(err)
	return f.Redact(text), f.Redact(hint)
}

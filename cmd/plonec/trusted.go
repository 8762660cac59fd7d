package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/plonec/plonec/internal/hosts"
	"github.com/plonec/plonec/internal/terminal"
)

// known makes sure, before anything connects to a host, that it is where it is trusted
// to be, or that whoever is there agrees to where it is. It gives what was allowed
// without a question.
func (s *session) known(w io.Writer) (allowed string, err error) {
	text, remedy := s.trust.Strangers(s.Hosts())
	switch {
	case text == "" || s.flags.newHosts:
		return text, nil
	case !s.asks():
		return "", &status{exitError, "no host was connected to: " + text + "\n  " + remedy}
	}
	fmt.Fprintf(w, "plonec: %s\nconnect to them? [y/N] ", terminal.PrintableLines(text))
	return "", yes(terminal.Typed(s.stdin))
}

// apply applies the tree, and notes where the hosts were that now have it.
func (s *session) apply(ctx context.Context) error {
	err := s.Apply(ctx)
	if failed := s.trust.Note(s.Settled()); failed != nil {
		s.progress.Event(hosts.Event{Time: time.Now(), Kind: hosts.Warning, Text: "where the hosts were cannot be noted: " + failed.Error()})
	}
	return err
}

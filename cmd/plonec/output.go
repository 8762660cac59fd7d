package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
)

// An output is standard output that remembers what could not be written: many verbs
// write a line after the work is done, and a report that is cut short in a full disk
// must not pass for a whole one. A reader that went away has read what it wanted.
type output struct {
	io.Writer
	mu  sync.Mutex
	err error // the first one
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil && !errors.Is(err, syscall.EPIPE) {
		o.err = err
	}
	return n, err
}

// File is what it writes to, for who asks whether that is a terminal; nil: no file.
func (o *output) File() *os.File {
	f, _ := o.Writer.(*os.File)
	return f
}

// cutShort is the exit status of a command that ended with code: 1 in place of 0 where
// its output was cut short.
func (o *output) cutShort(code int, stderr io.Writer) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil || code != exitDone {
		return code
	}
	fmt.Fprintf(stderr, "plonec: standard output was cut short: %v\n", o.err)
	return exitError
}

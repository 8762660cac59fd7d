// Package templates holds the text of every generated file, one template an
// artifact: those of a service in the folder of its name, with the shell functions by
// which hosts prove it. A unit's sandbox is in its own template. Under host/, builders/ and units/ are the scripts and units that are
// the same on every host, which are copied as they are, under ci/ what plonec init writes.
package templates

import (
	"embed"
	"io/fs"
	"slices"
	"strings"
)

// FS is this folder.
//
//go:embed all:*.tmpl all:*/*
var FS embed.FS

// OfHosts lists the templates of hosts' files and of what lies beside them in the tree:
// all but what init writes.
func OfHosts() []string {
	beside, err := fs.Glob(FS, "*.tmpl")
	if err != nil {
		panic(err)
	}
	inFolders, err := fs.Glob(FS, "*/*.tmpl")
	if err != nil {
		panic(err)
	}
	return append(beside, slices.DeleteFunc(inFolders, func(name string) bool { return strings.HasPrefix(name, "ci/") })...)
}

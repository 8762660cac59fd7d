// Package templates holds the text of every generated file, one template an
// artifact, under host/ and units/ the scripts and units that are the same on
// every host, which are copied as they are, and under ci/ what plonec init writes.
package templates

import "embed"

// FS is this folder.
//
//go:embed all:*.tmpl all:host all:units all:ci
var FS embed.FS

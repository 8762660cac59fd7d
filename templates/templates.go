// Package templates holds the text of every generated file, one template an
// artifact, and under host/ and units/ the scripts and units that are the same on
// every host, which are copied as they are.
package templates

import "embed"

// FS is this folder.
//
//go:embed all:*.tmpl all:host all:units
var FS embed.FS

// Package templates holds the text of every generated file, one template an
// artifact, and under host/ the scripts that run on the hosts, which are
// copied as they are.
package templates

import "embed"

// FS is this folder.
//
//go:embed all:*.tmpl all:host
var FS embed.FS

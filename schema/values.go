package schema

import (
	"math"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/input"
)

// secret decodes a reference or a plain secret.
func (dec *decoder) secret(n *input.Node) Secret {
	if n == nil {
		return Secret{}
	}
	if ref, ok := text(n.Get("$secret")); ok {
		return Secret{Ref: ref, Source: ref, File: saidIn(n, ref)}
	}
	if plain, ok := plainText(n); ok {
		return Secret{Plain: plain, Source: "stack:" + dec.origin[n]}
	}
	return Secret{}
}

// saidIn is the file that says a reference; empty where that does not matter.
// What a program computes has the place of the expression that gives the whole
// reference, or none, and then counts as said by the named file.
func saidIn(n *input.Node, ref string) string {
	at := n.Get("$secret").Span
	if !at.HasPlace() {
		at = n.Span
	}
	if at.File == nil || strings.HasPrefix(ref, "env:") {
		return ""
	}
	return at.File.Name
}

// envValue decodes a variable, which is a secret where Check took it for one.
func (dec *decoder) envValue(n *input.Node) EnvValue {
	switch {
	case n == nil:
		return EnvValue{}
	case n.Kind == input.Map || dec.origin[n] != "":
		return EnvValue{Secret: dec.secret(n)}
	}
	return EnvValue{Text: n.Text}
}

// certificate decodes a text or a reference.
func (dec *decoder) certificate(n *input.Node) Certificate {
	switch {
	case n == nil:
		return Certificate{}
	case n.Kind == input.Map:
		return Certificate{Secret: dec.secret(n)}
	}
	return Certificate{Text: n.Text}
}

// pasted decodes a text, a reference or a list of both. Empty texts are none.
func (dec *decoder) pasted(n *input.Node) Pasted {
	var pieces Pasted
	for _, piece := range piecesOf(n) {
		if s := dec.secret(piece); s.Ref != "" {
			pieces = append(pieces, Piece{Secret: s})
		} else if piece.Text != "" {
			pieces = append(pieces, Piece{Text: piece.Text})
		}
	}
	return pieces
}

// packages decodes a list of names or a map of name to version.
func packages(n *input.Node) Packages {
	var list Packages
	for _, item := range itemsOf(n) {
		list = append(list, Package{Name: item.Text})
	}
	for _, f := range fieldsOf(n) {
		list = append(list, Package{Name: f.Key, Version: f.Value.Text})
	}
	if n != nil && n.Kind == input.Map {
		sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	}
	return list
}

var durationText = regexp.MustCompile(`^([0-9]+)(us|ms|s|m|h|d)?$`)

var units = map[string]time.Duration{
	"us": time.Microsecond, "ms": time.Millisecond, "s": time.Second,
	"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
}

// duration decodes a number of units, or a text with a unit.
func (dec *decoder) duration(a *Attr, n *input.Node, unit time.Duration) time.Duration {
	if n == nil || n.Kind == input.Null {
		return 0
	}
	m := durationText.FindStringSubmatch(n.Text)
	if m == nil {
		dec.mismatch(a, n.Kind.String())
		return 0
	}
	if m[2] != "" {
		unit = units[m[2]]
	}
	count, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil || count > math.MaxInt64/int64(unit) {
		dec.mismatch(a, n.Kind.String())
		return 0
	}
	return time.Duration(count) * unit
}

package graph

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A style is a class of texts in the SVG: its size in px and how wide its
// letters run. No font can be asked, and the reader's is not known: widths are
// those of a wide one, so that any other leaves room.
type style struct {
	class string
	size  int
	bold  bool
	mono  bool
}

var (
	styleTitle   = style{class: "h", size: 20, bold: true}
	styleStage   = style{class: "s", size: 11, bold: true}
	styleLayer   = style{class: "l", size: 13, bold: true}
	styleName    = style{class: "n", size: 13, bold: true}
	styleAddress = style{class: "a", size: 11, mono: true}
	styleText    = style{class: "t", size: 12}
	stylePort    = style{class: "p", size: 11, mono: true}
	styleNote    = style{class: "o", size: 11}
)

// width is how wide a text may run, in px.
func (s style) width(text string) int {
	thousandths := 0
	for _, r := range text {
		thousandths += s.em(r)
	}
	return (thousandths*s.size + 999) / 1000
}

// em is the width of a letter, in thousandths of the size.
func (s style) em(r rune) int {
	wide := 640
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case r > 0x2000 && r != '–' && r != '…':
		return 1100
	case s.mono:
		return 610
	case strings.ContainsRune("iljI.,:;'|![]()/-ft ", r):
		wide = 400
	case strings.ContainsRune("mwMW@%–…&", r):
		wide = 1000
	case unicode.IsUpper(r):
		wide = 760
	}
	if s.bold {
		wide += wide / 9
	}
	return wide
}

// wrap breaks a text into lines of at most limit px, after a space where there is
// one in the line's second half, else after another separator there.
func (s style) wrap(text string, limit int) []string {
	var list []string
	for s.width(text) > limit {
		space, mark, fit, wide := 0, 0, 0, 0
		for i, r := range text {
			wide += s.em(r) * s.size
			if i > 0 && wide > limit*1000 {
				break
			}
			fit = i + utf8.RuneLen(r)
			switch {
			case r == ' ':
				space = fit
			case strings.ContainsRune("-_./:,", r):
				mark = fit
			}
		}
		end := fit
		for _, at := range []int{space, mark} {
			if at > fit/2 {
				end = at
				break
			}
		}
		list = append(list, strings.TrimRight(text[:end], " "))
		text = strings.TrimLeft(text[end:], " ")
	}
	return append(list, text)
}

package graph

import (
	"fmt"
	"strings"
)

// fonts are those of the reader's system.
const (
	fontSans = `system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif`
	fontMono = `ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace`
)

// A look is what one selector has: a property, and its value in light and in
// dark. Colours stand in the rules themselves, since not every reader of SVG
// knows variables.
type look struct{ selector, property, light, dark string }

var looks = []look{
	{".bg", "fill", "#ffffff", "#0d1117"},
	{"text", "fill", "#1f2328", "#f0f6fc"},
	{".a,.o,.p", "fill", "#59636e", "#9198a1"},
	{".frame>.box", "fill", "#f6f8fa", "#151b23"},
	{".frame>.box", "stroke", "#d1d9e0", "#3d444d"},
	{".card>.box", "fill", "#ffffff", "#0d1117"},
	{".card>.box", "stroke", "#d1d9e0", "#3d444d"},
	{".off>.box", "fill", "none", "none"},
	{".off>.box", "stroke", "#818b98", "#656c76"},
	{".off>.n", "fill", "#59636e", "#9198a1"},
	{".s0>.s,.s0>.l", "fill", "#59636e", "#9198a1"},
	{".s1>.s,.s1>.l", "fill", "#0969da", "#4493f8"},
	{".s2>.s,.s2>.l", "fill", "#1a7f37", "#3fb950"},
	{".s3>.s,.s3>.l", "fill", "#8250df", "#ab7df8"},
	{".k0>.line", "stroke", "#0969da", "#4493f8"},
	{".k0>.tip", "fill", "#0969da", "#4493f8"},
	{".k1>.line", "stroke", "#8250df", "#ab7df8"},
	{".k1>.tip", "fill", "#8250df", "#ab7df8"},
	{".k2>.line", "stroke", "#bc4c00", "#db6d28"},
	{".k2>.tip", "fill", "#bc4c00", "#db6d28"},
	{".k3>.line", "stroke", "#1b7c83", "#39c5cf"},
	{".k3>.tip", "fill", "#1b7c83", "#39c5cf"},
	{".k4>.line", "stroke", "#bf3989", "#f778ba"},
	{".k4>.tip", "fill", "#bf3989", "#f778ba"},
	{".k5>.line", "stroke", "#9a6700", "#d29922"},
	{".k5>.tip", "fill", "#9a6700", "#d29922"},
}

// styleSheet is the CSS of every picture.
func styleSheet() string {
	var b strings.Builder
	fmt.Fprintf(&b, "text{font-family:%s;white-space:pre}\n", fontSans)
	for _, s := range []style{styleTitle, styleStage, styleLayer, styleName, styleAddress, styleText, stylePort, styleNote} {
		fmt.Fprintf(&b, ".%s{font-size:%dpx", s.class, s.size)
		if s.bold {
			b.WriteString(";font-weight:600")
		}
		if s.mono {
			b.WriteString(";font-family:" + fontMono)
		}
		b.WriteString("}\n")
	}
	b.WriteString(".s{letter-spacing:.5px}\n.line{fill:none;stroke-width:1.6}\n.off>.box{stroke-dasharray:5 4}\n.outside>.box{stroke-dasharray:2 3}\n")
	for _, l := range looks {
		fmt.Fprintf(&b, "%s{%s:%s}\n", l.selector, l.property, l.light)
	}
	b.WriteString("@media (prefers-color-scheme:dark){\n")
	for _, l := range looks {
		if l.dark != l.light {
			fmt.Fprintf(&b, "%s{%s:%s}\n", l.selector, l.property, l.dark)
		}
	}
	b.WriteString("}\n")
	return b.String()
}

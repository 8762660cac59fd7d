package render

import (
	"regexp"
	"slices"
	"strings"
)

// A managed front end is one whose ZMI is for some networks alone.
type managed struct {
	Networks []string // that may; none: nobody
	Path     string   // matches "1 " and the path of a page of the ZMI, from outside
	Query    string   // matches "1 " and a query whose form calls such a page
}

// zmiPath matches manage, and all that begins with manage_, anywhere in a path that nginx
// has decoded: Zope finds both at every object, and goes on below them. A namespace may
// stand before them, as in @@manage_main and ++attribute++manage_main. Plone's own pages
// have a hyphen: @@manage-portlets. Scripts, page templates and caches have pages of other
// names too (Products.PythonScripts, Products.PageTemplates, OFS.Cache).
const zmiPath = `(?s)^1 (?:.*/)?(?:@{0,2}|\+\+\w+\+\+)(?:manage(?:_[^/]*)?|Z(?:PythonScript|Script|Bindings)HTML_[^/]*|pt_(?:edit|upload|change)[^/]*|ZCache(?:able|Manager)_[^/]*)(?:/|\z)`

// zmiNames are what those names begin with.
var zmiNames = []string{"manage", "HTML_", "pt_edit", "pt_upload", "pt_change", "ZCacheable_", "ZCacheManager_"}

// zmiQuery matches a query with such a name, as what has Zope call a name of a form.
var zmiQuery = "^1 " + action(zmiNames...)

// forgedQuery matches a query by which a form's action would leave the site: Zope puts the
// action at the end of the path, and goes up for "..".
var forgedQuery = "^" + action("..", "VirtualHost", "_vh_")

// action matches a query in which one of some texts is part of a form's action: of a key
// that ends in the type method or action, or of its value (manage_main:method=x,
// :action=manage_main), however it is quoted. nginx has it as the visitor wrote it. A
// search for such words has them in its value, and its key another type or none.
func action(texts ...string) string {
	texts = slices.Clone(texts)
	for i, text := range texts {
		texts[i] = quotable(text)
	}
	return `(?s)(?:.*[&;])?(?=[^&;]*(?:` + strings.Join(texts, "|") + `))[^=&;]*` + quotable(":") + "(?:" + quotable("default") + "(?:_|%5[fF]))?(?:" + quotable("method") + "|" + quotable("action") + `)(?:[:.=&;]|%3[aA]|%2[eE]|\z)`
}

// quotable matches a text of ASCII of which any character may be percent-encoded.
func quotable(text string) string {
	var all strings.Builder
	for i := range len(text) {
		const digits = "0123456789abcdef"
		own, low := regexp.QuoteMeta(text[i:i+1]), digits[text[i]&15:text[i]&15+1]
		last := low
		if low > "9" {
			last = "[" + low + strings.ToUpper(low) + "]"
		}
		all.WriteString("(?:" + own + "|%" + digits[text[i]>>4:text[i]>>4+1] + last + ")")
	}
	return all.String()
}

// ForgedQuery is forgedQuery, for the template.
func (hostView) ForgedQuery() string { return forgedQuery }

// ZMI says for whom the ZMI is; nil: for everybody.
func (v hostView) ZMI() *managed {
	may := v.Stack.NginxPlone.ZMI
	if may == nil {
		return nil
	}
	return &managed{Networks: networks(may), Path: zmiPath, Query: zmiQuery}
}

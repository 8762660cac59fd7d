package render

import "strings"

// A managed front end is one whose ZMI is for some networks alone.
type managed struct {
	Networks []string // that may; none: nobody
	Path     string   // matches "1 " and the path of a page of the ZMI, from outside
	Query    string   // matches "1 " and a query whose form calls such a page
}

// zmiPath matches manage, and all that begins with manage_, anywhere in a path that nginx
// has decoded: Zope finds both at every object, and goes on below them. A namespace may
// stand before them, as in @@manage_main and ++attribute++manage_main. Plone's own pages
// have a hyphen: @@manage-portlets.
const zmiPath = `(?s)^1 (?:.*/)?(?:@{0,2}|\+\+\w+\+\+)manage(?:_[^/]*)?(?:/|\z)`

// zmiQuery matches a query with such a name, and with what has Zope call a name of a form
// (manage_main:method=x, :action=manage_main), however it is quoted. nginx has it as the
// visitor wrote it.
var zmiQuery = `(?s)^1 (?=.*` + quotable("manage") + `).*` + quotable(":") + `(?:[\w-]|%\w\w)*(?:` + quotable("method") + "|" + quotable("action") + ")"

// quotable matches a text of ASCII of which any character may be percent-encoded.
func quotable(text string) string {
	var all strings.Builder
	for i := range len(text) {
		const digits = "0123456789abcdef"
		low := digits[text[i]&15 : text[i]&15+1]
		all.WriteString("(?:" + text[i:i+1] + "|%" + digits[text[i]>>4:text[i]>>4+1] + "[" + low + strings.ToUpper(low) + "])")
	}
	return all.String()
}

// ZMI says for whom the ZMI is; nil: for everybody.
func (v hostView) ZMI() *managed {
	may := v.Stack.NginxPlone.ZMI
	if may == nil {
		return nil
	}
	return &managed{Networks: networks(may), Path: zmiPath, Query: zmiQuery}
}

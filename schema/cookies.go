package schema

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// LoginCookies are all cookies by which Zope knows one visitor from another: the tickets of
// Plone (those of logins that have just begun, __ac_session, too) and of Volto, sessions, what
// was copied, and messages. A name that ends in * stands for all that begin so.
var LoginCookies = []string{"__ac*", "_ZopeId", "__cp", "statusmessages", "auth_token"}

// mostVariants bounds the pages that Varnish keeps for one address because of cookies: a
// visitor sends what he likes, and Varnish looks at one variant after the other.
const mostVariants = 64

// cookieFaults reports cookies of cookies_vary whose requests pass the cache, and too many
// combinations of their values.
func cookieFaults(varnish *input.Node, path string, list *diag.List) {
	vary := varnish.Get("cookies_vary")
	cookies := varnish.Get("cookies")
	byDefault := cookies == nil || cookies.Kind == input.Null
	if byDefault {
		cookies = Lookup("varnish_plone.cookies").Default
	}
	variants := 1
	for _, f := range fieldsOf(vary) {
		at := diag.JoinKey(path+".cookies_vary", f.Key)
		add := func(message, remedy string) {
			list.Add(diag.Diagnostic{Code: "two-lists", Span: f.Span, Path: at, Message: message, Remedy: remedy})
		}
		for _, pattern := range LoginCookies {
			if cookieIs(f.Key, pattern) {
				add("Plone knows by it who is logged in, and its requests pass the cache", "take it out")
			}
		}
		for _, item := range itemsOf(cookies) {
			switch {
			case !cookieIs(f.Key, item.Text):
			case byDefault:
				add(fmt.Sprintf("%s.cookies has %s too, by default", path, strconv.Quote(item.Text)), "write cookies as well, without it")
			default:
				add(fmt.Sprintf("%s.cookies has %s too%s", path, strconv.Quote(item.Text), line(f.Span, item.Span)), "take it out of one of them")
			}
		}
		if variants <= mostVariants {
			variants *= 1 + len(sortedUnique(texts(f.Value)))
		}
	}
	if variants > mostVariants {
		list.Add(diag.Diagnostic{Code: "bad-value", Span: vary.Span, Path: path + ".cookies_vary",
			Message: fmt.Sprintf("these cookies have more than %d combinations, with none of each counted", mostVariants), Remedy: "list fewer values"})
	}
}

// cookieIs tells whether a cookie is one that a name stands for.
func cookieIs(cookie, name string) bool {
	if begin, more := strings.CutSuffix(name, "*"); more {
		return strings.HasPrefix(cookie, begin)
	}
	return cookie == name
}

// texts are the texts of a list.
func texts(n *input.Node) (all []string) {
	for _, item := range itemsOf(n) {
		all = append(all, item.Text)
	}
	return all
}

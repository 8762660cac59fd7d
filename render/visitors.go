package render

import (
	"fmt"
	"regexp"
	"strings"
)

// What all daemons between a visitor and Zope have to see alike: who is logged in, which
// pages that takes, how an address is quoted, how long a header may be.

// ticketCookies are the cookies that say who a visitor is, for as long as he is logged in:
// Plone's own, and Volto's, which holds the token that plone.restapi takes as Bearer.
var ticketCookies = []string{"__ac", "auth_token"}

// loginPages are the ids of pages by which visitors log in and out, get a password or become
// a user, Plone's own and those that identity providers come back to.
var loginPages = []string{
	"acl_users", "authomatic-handler", "failsafe_login", "failsafe_login_form", "insufficient-privileges", "join_form",
	"logged_in", "logged_out", "login", "login-help", "login-oidc", "login-renew", "login_failed", "login_form", "login_next",
	"login_password", "login_success", "logout", "mail_password", "mail_password_form", "passwordreset", "pwreset_finish",
	"pwreset_form", "register", "require_login",
}

// cookiePattern matches a Cookie header with any of some cookies. Zope takes a comma for the
// end of a cookie, too.
func cookiePattern(names []string) string { return `(^|[;,]\s*)` + anyCookie(names) }

// anyCookie matches the beginning of any of some cookies.
func anyCookie(names []string) string {
	var all []string
	for _, name := range names {
		begin, more := strings.CutSuffix(name, "*")
		name = regexp.QuoteMeta(begin)
		if more {
			name += "[^=;,]*"
		}
		all = append(all, name)
	}
	return "(" + strings.Join(all, "|") + ")="
}

// otherCookies matches each cookie of a header that is none of some, with the semicolon
// before it: the first has to be given one.
func otherCookies(names []string) string { return `;\s*+(?!` + anyCookie(names) + `)[^;]*+` }

// commaAsEnd is a comma that Zope takes for the end of a cookie, and what stands for it.
var commaAsEnd = substitution{`(="[^"]*")\s*,`, `\1;`}

// cookieOf matches a Cookie header in which a cookie has one of some values, which are given
// as it writes them, and replaces the header by that cookie, with a semicolon before it. Of
// two cookies of a name the first counts, as it does for Zope.
func cookieOf(name string, values []string) substitution {
	begin := regexp.QuoteMeta(name) + "="
	var all []string
	for _, value := range values {
		all = append(all, regexp.QuoteMeta(value))
	}
	return substitution{`^\s*+(?:(?!` + begin + `)[^;]*+;\s*+)*+` + begin + `("?)(` + strings.Join(all, "|") + `)\1\s*(?:;.*)?$`, "; " + name + `=\2`}
}

// loginPattern matches the address of one of loginPages, and of all below it: a password's
// reset has its token there. Views may have @@ before them, services of plone.restapi have @.
func loginPattern() string {
	return `^[^?]*/@{0,2}(` + strings.Join(loginPages, "|") + `)([/?]|$)`
}

// How large the head of a request, or of an answer, may be. nginx refuses a longer line
// of a request, which is an address or all cookies of a visitor, with 400 or 414, and Varnish or
// HAProxy a longer head.
const (
	headerSize  = 16  // KiB, a line
	headSize    = 32  // KiB, all lines
	headRoom    = 16  // KiB, for what nginx and Varnish add on the way
	headerLines = 128 // with the first one
)

func (hostView) HeaderSize() int  { return headerSize }
func (hostView) HeaderLines() int { return headerLines }

// A substitution replaces what a pattern matches.
type substitution struct{ Pattern, With string }

// Of the characters of ASCII that can be seen nginx quotes #, % and ? in the paths that it
// passes on, and those in oddChars since 1.21.1; it writes all others as they are,
// however the visitor wrote them.
const (
	plainChars = "!$&'()*+,-./:;=@[]_~"
	oddChars   = "\"<>\\^`{|}"
)

// quotedPath quotes a path as nginx does: of what it quotes with capitals, and with one slash
// where there are several.
func quotedPath(quotesOdd bool) (all []substitution) {
	for digit := 'a'; digit <= 'f'; digit++ {
		capital := digit - 'a' + 'A'
		all = append(all,
			substitution{fmt.Sprintf("%%%c([0-9A-Fa-f])", digit), fmt.Sprintf(`%%%c\1`, capital)},
			substitution{fmt.Sprintf("%%([0-9A-F])%c", digit), fmt.Sprintf(`%%\1%c`, capital)})
	}
	for _, c := range plainChars {
		all = append(all, substitution{fmt.Sprintf("%%%02X", c), string(c)})
	}
	for _, c := range oddChars {
		if quoted := fmt.Sprintf("%%%02X", c); quotesOdd {
			all = append(all, substitution{fmt.Sprintf(`\x%02x`, c), quoted})
		} else {
			all = append(all, substitution{quoted, strings.ReplaceAll(string(c), `\`, `\\`)})
		}
	}
	return append(all, substitution{"/{2,}", "/"})
}

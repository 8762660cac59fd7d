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

// loginCookies are all cookies by which Zope knows one visitor from another: the tickets, those
// of other plugins and of logins that have just begun (__ac_session), sessions, what was copied,
// and messages. A name that ends in * stands for all that begin so.
var loginCookies = append([]string{"__ac*", "_ZopeId", "__cp", "statusmessages"}, ticketCookies[1:]...)

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
func cookiePattern(names []string) string {
	var all []string
	for _, name := range names {
		begin, more := strings.CutSuffix(name, "*")
		name = regexp.QuoteMeta(begin)
		if more {
			name += "[^=;,]*"
		}
		all = append(all, name)
	}
	return `(^|[;,]\s*)(` + strings.Join(all, "|") + ")="
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

package schema

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Texts that go into the tree as they are may hold a secret that nobody meant to
// commit. What follows tells by their looks, and rather misses one than warns of
// what is none: a warning that is wrong teaches to pass over the next.

// A sign is a pattern that a secret is known by.
type sign struct {
	what    string // what it looks like, after "looks like"
	pattern *regexp.Regexp
	// value is the group that holds the secret; where that is a reference, a path
	// or an example, there is none. 0: the pattern says enough.
	value int
}

// secretWord ends the names of settings whose values nobody should see.
const secretWord = `(?:passw(?:or)?d|passphrase|secret|secret[-_]?key|api[-_]?key|access[-_]?key|private[-_]?key|auth[-_]?key|token)`

// inQuery is what one of the signs is called, of which the remedy is another.
const inQuery = "an address with a secret in its query"

// everywhere are signs that are the same in every syntax.
var everywhere = []sign{
	{"a private key", regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY`), 0},
	{"the id of an AWS access key", regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z0-9]{16}\b`), 0},
	{"a token of a known service", regexp.MustCompile(`\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22}|glpat-[A-Za-z0-9_-]{20}|xox[abpr]-[A-Za-z0-9-]{10}|[rs]k_live_[A-Za-z0-9]{16}|pypi-[A-Za-z0-9_-]{50}|AIza[A-Za-z0-9_-]{35}|eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10})`), 0},
	{"an address with a password", regexp.MustCompile(`\b[A-Za-z][A-Za-z0-9+.-]*://[^/\s:@'"<>]*:([^/\s@'"]+)@`), 1},
	{"an address with a token", regexp.MustCompile(`\bhttps?://([A-Za-z0-9_-]{16,})@`), 1},
	{inQuery, regexp.MustCompile(`(?i)\b[a-z][a-z0-9+.-]*://[^\s'"]*[?&](?:[a-z0-9_-]*` + secretWord + `|sig|signature|x-amz-signature)=([^&\s'";]+)`), 1},
}

// inText are those of configuration that is pasted: buildout's, Zope's and
// nginx'. None spans lines.
var inText = append([]sign{
	{"a user with a password", regexp.MustCompile(`(?m)^[ \t]*[A-Za-z0-9_.-]*user[ \t]*\+?=[ \t]*[A-Za-z0-9_.@-]+:([^\s:]+)[ \t]*$`), 1},
	{"a password or a token", regexp.MustCompile(`(?im)^[ \t]*[a-z0-9_.-]*` + secretWord + `[ \t]*\+?=[ \t]*["']?([^\s"']+)`), 1},
	{"a password in a connection string", regexp.MustCompile(`(?i)\b(?:password|passwd)=["']?([^\s"';&]+)`), 1},
	{"a variable with a password or a token", regexp.MustCompile(`(?m)^[ \t]+[A-Z][A-Z0-9_]*(?:PASSWORD|PASSWD|SECRET|SECRET_KEY|API_KEY|ACCESS_KEY|TOKEN)[ \t]+["']?([^\s"']+)["']?[ \t]*$`), 1},
	{"a database's password", regexp.MustCompile(`(?m)^[ \t]+(?:password|passwd)[ \t]+([^\s=]+)[ \t]*$`), 1},
	{"a header with a password or a token", regexp.MustCompile(`(?i)(?:\b|_)authorization["']?[ \t:=~!]+["']?(?:basic|bearer|token)[ \t]+([A-Za-z0-9+/=._-]{6,})`), 1},
	{"a header with a password or a token", regexp.MustCompile(`(?im)^[ \t]*(?:proxy_set_header|add_header|fastcgi_param|uwsgi_param)[ \t]+["']?[a-z0-9_-]*` + secretWord + `["']?[ \t]+["']?([^\s"';]+)`), 1},
	{"a variable with a password or a token", regexp.MustCompile(`(?i)\bset[ \t]+\$[a-z0-9_]*` + secretWord + `[ \t]+["']?([^\s"';]+)`), 1},
	{"a comparison with a password or a token", regexp.MustCompile(`(?i)\$(?:http|arg|cookie)_[a-z0-9_]*` + secretWord + `[ \t]*!?[=~*]+[ \t]*["']?([^\s"'{}();]{4,})`), 1},
	{"the word of a secure link", regexp.MustCompile(`\bsecure_link_secret[ \t]+([^\s;]+)`), 1},
	{"the word of a secure link", regexp.MustCompile(`\bsecure_link_md5[ \t]+"[^"]*[ ]([^\s"$]+)"`), 1},
}, everywhere...)

// inWords are those of a command's words.
var inWords = append([]sign{
	{"an option with a password or a token", regexp.MustCompile(`(?i)(?:^|[\s"'])(?:--?)?[a-z0-9_.:-]*` + secretWord + `\+?[ =]["']?([^\s"'-][^\s"']*)`), 1},
	{"an option with a user and a password", regexp.MustCompile(`(?i)(?:^|[\s"'])(?:--?)?[a-z0-9_.:-]*user\+?[ =]["']?[a-z0-9_.@-]+:([^\s"':]+)`), 1},
}, everywhere...)

// signIn finds the first sign in a text, and its line, from 1.
func signIn(signs []sign, text string) (what string, line int) {
	if len(text) < 8 {
		return "", 0
	}
	text = comment.ReplaceAllString(text, "")
	for _, s := range signs {
		for _, m := range s.pattern.FindAllStringSubmatchIndex(text, -1) {
			if s.value > 0 && harmless(text[m[2*s.value]:m[2*s.value+1]]) {
				continue
			}
			begin := m[2*s.value]
			return s.what, 1 + strings.Count(text[:begin], "\n")
		}
	}
	return "", 0
}

// SecretLine tells whether a line of pasted configuration looks as if it held a
// secret, as build warns of it: it is not shown.
func SecretLine(line string) bool {
	what, _ := signIn(inText, line)
	return what != ""
}

// comment matches those lines that are nothing else, in every syntax here.
var comment = regexp.MustCompile(`(?m)^[ \t]*[#;].*$`)

// stands matches what is put in the place of a value: a reference, a path, an
// example, a switch.
var stands = regexp.MustCompile(`(?i)^(\$.*|.*\$[({].*|%\(.*|\{\{.*|<.*|/.*|\.\.?/.*|\*+|x{3,}|\.{3}|…|true|false|on|off|yes|no|none|null|[0-9]{1,3}|[0-9]+[smhd]|required|optional)$`)

// harmless tells whether a value is no secret, although its place speaks of one.
func harmless(value string) bool { return stands.MatchString(value) }

// noToken matches names of variables whose long values are sums and ids.
var noToken = regexp.MustCompile(`(?i)(COMMIT|REVISION|VERSION|HASH|DIGEST|SUM|SHA[0-9]*|MD5|UUID|GUID|_ID|PATH|DIR|FILE|CERT|PUBLIC|FINGERPRINT)`)

// opaque matches the values that random bytes are written as.
var opaque = regexp.MustCompile(`^[A-Za-z0-9+/_=-]{24,512}$`)

// looksRandom tells whether the value of a variable is a long token: letters and
// digits without a word in them.
func looksRandom(name, value string) bool {
	if noToken.MatchString(name) || !opaque.MatchString(value) || !strings.ContainsAny(value, "0123456789") || isNumber(value) || strings.Count(value, "/") > 2 || strings.Count(value, "-") > 2 {
		return false
	}
	least := 4.0
	if _, err := strconv.ParseUint(value[:16], 16, 64); err == nil { // hexadecimal: sixteen different letters at most
		least = 3.0
	}
	return entropy(value) >= least
}

// entropy is how many bits a letter of the text says, as often as each comes.
func entropy(text string) float64 {
	var counts [256]int
	for i := range len(text) {
		counts[text[i]]++
	}
	bits := 0.0
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(text))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}

package schema

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// What people write in place of a choice. Likeness of letters does not tell
// "offline" from "online", or one version from the next.

// meant are words that stand for a choice, by the definition or the path of the
// attribute and in small letters. A word without a choice is like one and is not it.
var meant = map[string]map[string]string{
	"#Status": {
		"offline": "stopped", "off": "stopped", "down": "stopped", "stop": "stopped", "halted": "stopped",
		"disabled": "stopped", "inactive": "stopped", "shutdown": "stopped", "shut_down": "stopped", "poweroff": "stopped",
		"on": "online", "up": "online", "start": "online", "started": "online", "running": "online",
		"enabled": "online", "active": "online", "ready": "online",
		"starting": "booting", "setup": "running_setup", "failed": "setup_failed",
		"deleted": "terminated", "gone": "terminated", "lost": "connection_lost", "unreachable": "connection_lost",
	},
	"#OS": {
		"bookworm": "debian12", "trixie": "debian13",
		"jammy": "ubuntu22.04", "noble": "ubuntu24.04", "resolute": "ubuntu26.04",
	},
	"#Role": {
		"lb": "frontend", "nginx": "frontend", "haproxy": "frontend", "varnish": "frontend", "balancer": "frontend", "web": "frontend",
		"client": "clients", "plone": "clients", "plone_instances": "clients", "instances": "clients", "zope": "clients",
		"node": "volto", "zeoserver": "zeo", "zeo_server": "zeo", "database": "zeo", "nfs": "blobs", "celery": "",
	},
	"#LogLevel": {"fatal": "CRITICAL", "notice": "INFO", "trace": "DEBUG"},

	"plonec.public_scheme":               {"tls": "https", "ssl": "https", "plain": "http"},
	"plone_instances.relstorage.db.type": {"psql": "postgres", "pg": "postgres", "mariadb": "mysql"},
	"deploy.<app>.database.adapter":      {"psql": "postgresql", "pg": "postgresql", "mariadb": "mysql"},
	"deploy.<app>.scm.scm_type":          {"subversion": "svn", "zip": "archive", "tar": "archive", "github": "git", "gitlab": "git"},
	"haproxy.stats_socket_level":         {"read-only": "user", "root": "admin"},
}

// meantKeys are words that stand for attributes of the same map. Those of a host
// are the service's own for what the short form calls otherwise.
var meantKeys = map[string][]string{
	"private_ip": {"address"}, "private_dns_name": {"address"}, "ip": {"ssh_address"}, "elastic_ip": {"ssh_address"},
	"public_ip": {"ssh_address"}, "InstanceType": {"instance_type"}, "Status": {"status"},
	"stats_page": {"enable_stats", "stats_url"},
}

// meantPaths are words that stand for attributes of another map.
var meantPaths = map[string]string{
	"ssl": "deploy.<app>.ssl_support", "enable_ssl": "deploy.<app>.ssl_support", "tls": "deploy.<app>.ssl_support",
	"enable_tls": "deploy.<app>.ssl_support", "https": "deploy.<app>.ssl_support",
}

// Meant is the choice of a definition that a word stands for; empty: it is not known for one.
func Meant(definition, word string) string { return meant[definition][strings.ToLower(word)] }

// nearChoice is the choice that a text was meant for; empty: nothing says which.
func nearChoice(a *Attr, text string) string {
	lower := strings.ToLower(text)
	for _, where := range []string{a.def, a.Path} {
		if choice, ok := meant[where][lower]; ok {
			return choice
		}
	}
	return Nearest(lower, a.Enum)
}

// rangeOf says between which choices, or before or after all of them, a version
// or a number lies that is none: 5.3, debian11, local9. Empty: it is no such thing.
func rangeOf(a *Attr, text string) string {
	name, version := numbered(text)
	var same []string // the choices of that name, in their order
	for _, choice := range a.Enum {
		if of, numbers := numbered(choice); (of == name || of == "") && numbers != nil {
			same = append(same, choice)
		}
	}
	if len(same) < 2 || version == nil && name == "" {
		return ""
	}
	slices.SortFunc(same, compareNumbered)
	quoted := func(list []string) string {
		for i := range list {
			list[i] = strconv.Quote(list[i])
		}
		return strings.Join(list, " or ")
	}
	var within, around []string
	for i, choice := range same {
		_, numbers := numbered(choice)
		switch {
		case len(version) >= len(numbers) && slices.Equal(version[:len(numbers)], numbers):
			return "write " + strconv.Quote(choice) // 6.1.2 is one of 6.1
		case len(version) < len(numbers) && slices.Equal(version, numbers[:len(version)]):
			within = append(within, choice)
		case i > 0 && compareNumbered(same[i-1], text) < 0 && compareNumbered(text, choice) < 0:
			around = []string{same[i-1], choice}
		}
	}
	switch {
	case within != nil:
		return "say which: " + quoted(within)
	case around != nil:
		return "write " + quoted(around) + "; there is none between them"
	case compareNumbered(text, same[0]) < 0:
		return "there is none before " + strconv.Quote(same[0])
	}
	return "there is none after " + strconv.Quote(same[len(same)-1])
}

var (
	numbers   = regexp.MustCompile(`[0-9]+`)
	nameOfOne = regexp.MustCompile(`^([a-z]*)[ _-]*v?([0-9.]*)$`)
)

// numbered splits a choice such as ubuntu22.04 into its name and its numbers.
func numbered(text string) (name string, version []int) {
	m := nameOfOne.FindStringSubmatch(strings.ToLower(strings.TrimSpace(text)))
	if m == nil {
		return text, nil
	}
	for _, digits := range numbers.FindAllString(m[2], -1) {
		n, _ := strconv.Atoi(digits[:min(len(digits), 9)])
		version = append(version, n)
	}
	return m[1], version
}

func compareNumbered(x, y string) int {
	_, a := numbered(x)
	_, b := numbered(y)
	return slices.Compare(a, b)
}

// opposites are words of names of which neither is ever meant for the other.
var opposites = [][2]string{
	{"enable", "disable"}, {"enabled", "disabled"}, {"online", "offline"}, {"on", "off"}, {"min", "max"},
	{"include", "exclude"}, {"allow", "deny"}, {"start", "stop"}, {"client", "server"}, {"public", "private"},
	{"up", "down"}, {"rise", "fall"}, {"before", "after"}, {"set", "unset"}, {"with", "without"},
}

var wordsOf = regexp.MustCompile(`[a-z]+`)

// apart tells whether two names are alike in letters and differ in what they
// say: another number, another word among several, or a word that is the opposite of
// the other's.
func apart(x, y string) bool {
	x, y = strings.ToLower(x), strings.ToLower(y)
	if strings.Join(numbers.FindAllString(x, -1), "") != strings.Join(numbers.FindAllString(y, -1), "") {
		return true
	}
	here, there := wordsOf.FindAllString(x, -1), wordsOf.FindAllString(y, -1)
	if len(here) == len(there) && (len(here) > 1 || len(x) <= 3 && len(y) <= 3) {
		for i := range here {
			if another(here[i], there[i]) {
				return true
			}
		}
	}
	for _, pair := range opposites {
		for i := range pair {
			one, other := pair[i], pair[1-i]
			if slices.Contains(here, one) && !slices.Contains(here, other) && slices.Contains(there, other) && !slices.Contains(there, one) {
				return true
			}
		}
	}
	return false
}

// another tells whether of two words half of the letters or more differ, or any of three
// (ssl, ssi, ssh), and not in their order alone nor by an ending.
func another(x, y string) bool {
	longer := max(len(x), len(y))
	return (distance(x, y, longer+1)*2 >= longer || longer <= 3 && x != y) && !strings.HasPrefix(x, y) && !strings.HasPrefix(y, x) && !slices.Equal(letters(x), letters(y))
}

// letters are those of a word, in order.
func letters(word string) []byte {
	list := []byte(word)
	slices.Sort(list)
	return list
}

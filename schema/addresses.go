package schema

import (
	"net"
	"net/netip"
	"regexp"
	"strings"
)

// addresses are, by the type's short name, what a text may have been meant for that says
// more, or less, of an address than the type takes: https://www.example.com/
// in place of a domain. The first that is taken is the remedy.
var addresses = map[string]func(text string) []string{
	"domain":             hostOf,
	"domain or *.domain": hostOf,
	"address":            hostOf,
	"network":            hostOf,
	"host name":          hostOf,
	"address:port":       withPort,
	"URL path":           pathOf,
	"URL":                func(text string) []string { return []string{"https://" + text} },
}

var address = regexp.MustCompile(`^(?:[A-Za-z][A-Za-z0-9+.-]*://|//)?(?:[^/@]*@)?([^/?#]*)([^?#]*)`)

// hostOf is the host of an address, without scheme, user, port and path.
func hostOf(text string) []string {
	if isNetwork(text) {
		return nil
	}
	host := address.FindStringSubmatch(text)[1]
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	return []string{host, strings.ToLower(host)}
}

// withPort is the host and the port of an address; one without a port has no remedy.
func withPort(text string) []string {
	host := address.FindStringSubmatch(text)[1]
	return []string{host, strings.ToLower(host)}
}

// pathOf is the path of an address.
func pathOf(text string) []string {
	if !strings.Contains(text, "://") {
		return nil
	}
	return []string{address.FindStringSubmatch(text)[2]}
}

// isNetwork tells whether a text is a network, such as 10.0.0.0/16.
func isNetwork(text string) bool {
	_, err := netip.ParsePrefix(text)
	return err == nil
}

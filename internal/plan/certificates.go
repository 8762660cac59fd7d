package plan

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/certificate"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/internal/words"
)

// A Certificate is a file of certificates that a host shows to its visitors: the site's own,
// and those of its issuers.
type Certificate struct {
	Path    string    `json:"path"`
	App     string    `json:"app,omitempty"`     // that is served with it; empty: text of the stack's own names the file
	Names   []string  `json:"names"`             // that the site's own is for
	Expires time.Time `json:"expires,omitzero"`  // when the first of the file does
	Expiry  string    `json:"expiry,omitempty"`  // it has expired, or does soon (certificate.Chain.Expiry), in words
	Missing []string  `json:"missing,omitempty"` // names of the app's sites that it is not for
	Fault   string    `json:"fault,omitempty"`   // why it cannot be used: nothing else is known
}

// certificates are those that a host says it shows, by path.
func (m *Host) certificates(state map[string]string, now time.Time) []Certificate {
	var list []Certificate
	for key, value := range state {
		if !strings.HasPrefix(key, "certificate.") {
			continue
		}
		encoded, path, _ := strings.Cut(value, " ")
		c := Certificate{Path: path, Names: []string{}}
		var wanted []string
		if i := slices.IndexFunc(m.Host.Certificates, func(c tree.Certificate) bool { return c.Path == path }); i >= 0 {
			c.App, wanted = m.Host.Certificates[i].App, m.Host.Certificates[i].Names
		}
		text, _ := base64.StdEncoding.DecodeString(encoded)
		chain, err := certificate.Parse(string(text))
		switch {
		case errors.Is(err, certificate.ErrOdd):
			continue
		case err != nil:
			c.Fault = err.Error()
		default:
			c.Names, c.Expires, c.Expiry, c.Missing = chain.For(), chain.Expires(), chain.Expiry(now), chain.Missing(wanted)
		}
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b Certificate) int { return words.Compare(a.Path, b.Path) })
	return list
}

package schema

import (
	"slices"
	"testing"
)

// TestMeant holds the words that stand for choices against the choices.
func TestMeant(t *testing.T) {
	enums := map[string][]string{}
	Root().each(func(a *Attr) {
		enums[a.Path] = a.Enum
		if a.Item != nil {
			enums[a.Item.def] = a.Item.Enum
		}
		if a.def != "" {
			enums[a.def] = a.Enum
		}
	})
	for where, words := range meant {
		choices := enums[where]
		if len(choices) == 0 {
			t.Errorf("%s has no choices", where)
		}
		for word, choice := range words {
			if slices.Contains(choices, word) {
				t.Errorf("%s: %q is a choice itself", where, word)
			}
			if choice != "" && !slices.Contains(choices, choice) {
				t.Errorf("%s: %q stands for %q, which is no choice", where, word, choice)
			}
		}
	}
}

// TestMeantKeys holds the words that stand for attributes against the attributes.
func TestMeantKeys(t *testing.T) {
	for word, names := range meantKeys {
		found := false
		Root().each(func(a *Attr) {
			is := func(name string) bool { return a.fields[name] != nil }
			found = found || !is(word) && !slices.ContainsFunc(names, func(name string) bool { return !is(name) })
		})
		if !found {
			t.Errorf("%q: no map without it has %q", word, names)
		}
	}
}

// TestNearest: likeness of letters alone does not make one name mean the other.
func TestNearest(t *testing.T) {
	for _, c := range []struct {
		name string
		of   []string
		want string
	}{
		{"stats_pasword", []string{"stats_password", "stats_user"}, "stats_password"},
		{"memcache", []string{"memcached"}, "memcached"},
		{"warnin", []string{"WARNING"}, "WARNING"},
		{"offline", []string{"online"}, ""},
		{"disable_stats", []string{"enable_stats"}, ""},
		{"min_connections", []string{"max_connections"}, ""},
		{"client_timeot", []string{"server_timeout", "client_timeout"}, "client_timeout"},
		{"server_timeot", []string{"client_timeout"}, ""},
		{"plone2", []string{"plone1"}, ""},
		{"plone", []string{"plone1"}, ""},
		{"debian11", []string{"debian12"}, ""},
		{"stats_page", []string{"stats_rate"}, ""},
		{"enable_ssl", []string{"enable_ssi"}, ""},
		{"ssl", []string{"ssh"}, ""},
		{"pack_ta", []string{"pack_at"}, "pack_at"},
		{"ubuntu-2404", []string{"ubuntu24.04"}, "ubuntu24.04"},
	} {
		if got := Nearest(c.name, c.of); got != c.want {
			t.Errorf("Nearest(%q, %q): got %q, want %q", c.name, c.of, got, c.want)
		}
	}
}

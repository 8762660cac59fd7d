package report

import (
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/plan"
)

// A certificate is spoken of where something is to be done; a name that it lacks, which the
// stack says so, is nothing for --exit-code.
func TestCertificatesOfStatus(t *testing.T) {
	for _, c := range []struct {
		certificate plan.Certificate
		unwell      bool
		want        string
	}{
		{plan.Certificate{Path: "/etc/nginx/ssl/site.crt", App: "site", Names: []string{"www.example.com"}}, false, ""},
		{plan.Certificate{App: "site", Expiry: "the certificate expires on 2026-03-11, in 10 days"}, true,
			"look    lb1 lb2  site: the certificate expires on 2026-03-11, in 10 days: have it renewed; plonec apply brings the new one\n"},
		{plan.Certificate{Path: "/etc/own/a\x1b[31m.pem", Expiry: "the certificate expired on 2026-02-28", Names: []string{"a"}}, true,
			"look    lb1 lb2  /etc/own/a.pem: the certificate expired on 2026-02-28: have it renewed\n"},
		{plan.Certificate{App: "site", Missing: []string{"a.example.com", "b.example.com"}}, false,
			"look    lb1 lb2  site: the certificate is not for a.example.com, b.example.com: have it issued for all names of the site\n"},
		{plan.Certificate{App: "site", Fault: "no certificate in PEM form is in it"}, true,
			"look    lb1 lb2  site: its file of certificates cannot be read again: no certificate in PEM form is in it\n"},
	} {
		var list []plan.HostStatus
		for _, name := range []string{"lb1", "lb2"} {
			list = append(list, plan.HostStatus{Host: name, Generation: "1", Certificates: []plan.Certificate{c.certificate}})
		}
		_, notes, _ := strings.Cut(Status(list, nil, nil, false), "\n\n")
		if notes != c.want || Unwell(list[0]) != c.unwell {
			t.Errorf("got %q, %v\nwant %q", notes, Unwell(list[0]), c.want)
		}
	}
}

// What a repository answered is a row, and what it did not something to look at.
func TestRepositoriesOfStatus(t *testing.T) {
	const one, two = "0123456789abcdef0123456789abcdef01234567", "1123456789abcdef0123456789abcdef01234567"
	list := []plan.HostStatus{
		{Host: "app1", Generation: "1", Apps: []plan.AppStatus{{App: "site", Commit: one}}},
		{Host: "app2", Generation: "1", Apps: []plan.AppStatus{{App: "site", Commit: one}}}, {Host: "lb1", Generation: "1"},
	}
	for _, c := range []struct {
		repository plan.Repository
		want       string
	}{
		{plan.Repository{App: "site", Host: "app1", Revision: "main", Commit: one}, "source  app1  site: main is commit 0123456\n"},
		{plan.Repository{App: "site", Host: "app1", Commit: two}, "source  app1  site: the repository's own branch is commit 1123456, and app1 app2 run another: plonec deploy site\n"},
		{plan.Repository{App: "site", Host: "app1", Revision: two, Commit: two}, "source  app1  site: its repository answers; it is not asked for commit 1123456 before a deploy\n"},
		{plan.Repository{App: "site", Host: "app1", Error: &plan.Reason{Text: "plonec: cannot ask \x1b[31mR", Hint: "so"}}, "look    app1  site: its repository could not be asked: plonec: cannot ask R: so\n"},
	} {
		_, notes, _ := strings.Cut(Status(list, nil, []plan.Repository{c.repository}, false), "\n\n")
		if notes != c.want {
			t.Errorf("got  %q\nwant %q", notes, c.want)
		}
	}
}

// The first line of status says that maintenance is on, and where it is not.
func TestMaintenanceLeadsStatus(t *testing.T) {
	lb := func(name, since string) plan.HostStatus {
		return plan.HostStatus{Host: name, Generation: "1", Front: true, Maintenance: since}
	}
	app := plan.HostStatus{Host: "app1", Generation: "1"}
	gone := plan.HostStatus{Host: "lb3", Front: true, Error: &plan.Reason{Text: "gone"}}
	for want, list := range map[string][]plan.HostStatus{
		"maintenance is on since 2026-11-30T10:00:00Z (lb1, lb2): visitors see its page until plonec maintenance off":  {app, lb("lb1", "2026-11-30T10:00:01Z"), lb("lb2", "2026-11-30T10:00:00Z"), {Host: "app2", Error: &plan.Reason{Text: "gone"}}},
		"maintenance is on since 2026-11-30T10:00:01Z (lb1), and not known at lb3: visitors see its page until plonec": {app, lb("lb1", "2026-11-30T10:00:01Z"), gone},
		"maintenance is on at lb2 and not at lb1, and not known at lb3: plonec maintenance on, or off, makes them":     {lb("lb1", ""), lb("lb2", "2026-11-30T10:00:00Z"), gone},
		"maintenance is on at lb2 and not at lb1: plonec maintenance on, or off, makes them alike":                     {lb("lb1", ""), lb("lb2", "2026-11-30T10:00:00Z"), app},
		"host  generation": {app, lb("lb1", ""), lb("lb2", ""), gone},
	} {
		if first, _, _ := strings.Cut(Status(list, nil, nil, false), "\n"); !strings.HasPrefix(first, want) {
			t.Errorf("%q, want %q", first, want)
		}
	}
}

package report

import (
	"regexp"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/tree"
)

// onTwo are the changes of a host where a client is added, with what is its own.
func onTwo(address string) []plan.FileChange {
	return []plan.FileChange{
		{Change: plan.Change{Path: "/etc/plonec/host.env", Kind: plan.Changed}, Diff: "@@ -1 +1 @@\n-UNITS='1'\n+UNITS='2'\n"},
		{Change: plan.Change{Path: "/etc/plonec/site/deploy.cfg", Kind: plan.Changed, Waits: "site"}, Diff: "@@ -1 +1 @@\n+http-address = " + address + ":8082\n"},
		{Change: plan.Change{Path: "/etc/systemd/system/plone-site-client1.service", Kind: plan.Changed, Waits: "site"}, Diff: "@@ -1 +1 @@\n Tag=plone-site-client1\n-A\n+B\n"},
		{Change: plan.Change{Path: "/etc/systemd/system/plone-site-client2.service", Kind: plan.Changed, Waits: "site"}, Diff: "@@ -1 +1 @@\n Tag=plone-site-client2\n-A\n+B\n"},
		{Change: plan.Change{Path: "/etc/systemd/system/plone-site-client3.service", Kind: plan.Added, Waits: "site"}},
		{Change: plan.Change{Path: "/etc/systemd/system/plone-site-client4.service", Kind: plan.Added, Waits: "site"}},
	}
}

// aPlan has some of everything.
func aPlan() *plan.Plan {
	site := plan.AppPlan{
		App: "site", Files: 5, Build: "deploy.cfg changed", Restart: []string{"plone-site-client1.service", "plone-site-client2.service"},
		Start: []string{"plone-site-client3.service", "plone-site-client4.service"},
	}
	return &plan.Plan{
		Tree: "0123456789abcdef", Commit: "fedcba9876543210", Apps: []string{"database", "site"},
		Hosts: []plan.HostPlan{
			{Host: "app1", Address: "10.0.1.1", Due: true, Files: onTwo("10.0.1.1"), Stages: 5, Deploy: []plan.AppPlan{site}},
			{Host: "app2", Address: "10.0.1.12", Due: true, Files: onTwo("10.0.1.12"), Stages: 5, Deploy: []plan.AppPlan{site}},
			{Host: "db1", Lock: "root@ci, since 2026", Crontabs: []plan.Crontab{
				{App: "database", User: "zodb", Left: "line 3 begins a part that does not end"},
				{App: "site", User: "plone", Entries: 3, Releases: []string{"20160101000000", "20260101000000"}}}},
			{Host: "db2", Error: &plan.Reason{Text: "ssh db2: \x1b[31mtimed out", Hint: "is it down?"}},
			{
				Host: "lb1", Due: true, Apply: []string{"stop:old.timer", "reload:nginx.service"}, Stages: 1, Added: []string{"app1-client3"},
				Refused: []plan.Reason{{Text: "changed by hand: /etc/nginx/nginx.conf", Hint: "take it over"}},
				Files: []plan.FileChange{
					{Change: plan.Change{Path: "/etc/haproxy/haproxy.cfg", Kind: plan.Changed, Waits: plan.Front}, Diff: "@@ -1 +1,2 @@\n+server\n"},
					{Change: plan.Change{Path: "/etc/haproxy/users.cfg", Kind: plan.Changed, Secret: true}, Unshown: "secret"},
					{Change: plan.Change{Path: "/etc/nginx/nginx.conf", Kind: plan.Changed, Drift: true}, Diff: "@@ -1 +1 @@\n-a ```` b\n+c\n"},
					{Change: plan.Change{Path: "/etc/systemd/system/old.timer", Kind: plan.Removed, Foreign: true}},
					{Change: plan.Change{Path: "/etc/x", Kind: plan.ModeOnly}, Mode: "0600 root:root → 0644 root:root"},
				},
			},
		},
		Outage: []string{"lb1: apply stops old.timer"}, Absent: []string{"app3 is stopped"}, Always: []string{"database"},
	}
}

const planned = `plan    tree 0123456789ab, commit fedcba987654 → 5 hosts now
apply   app1 app2  1 file: nothing to reload; 5 files to wait
        lb1        4 files: stop old.timer, reload nginx; 1 file to wait
deploy  app1 app2  site: buildout (deploy.cfg changed), rolling restart of client1 client2, start of client3 client4, each
        lb1        haproxy.cfg, 1 server more: reload haproxy once the clients run
nothing db1
crontab db1        site: the next switch takes 3 entries of 20160101000000, 20260101000000 out of the crontab of plone, and keeps a copy
look    db1        database: no switch touches the crontab of zodb: line 3 begins a part that does not end; see there: crontab -l -u zodb
        db1        another plonec is at work there: root@ci, since 2026
        db2        not asked: ssh db2: timed out; is it down?
        lb1        apply would refuse: changed by hand: /etc/nginx/nginx.conf; take it over
        app3 is stopped in the stack: left out
        database: every deploy makes a new release (always_buildout_on_deploy)
outage  lb1: apply stops old.timer
        db2        not known

~ lb1 /etc/haproxy/users.cfg  (secret)
- lb1 /etc/systemd/system/old.timer  (the file from before plonec comes back)
~ lb1 /etc/x  (0600 root:root → 0644 root:root)
~ app1 app2 /etc/plonec/host.env
@@ -1 +1 @@
-UNITS='1'
+UNITS='2'
~ lb1 /etc/nginx/nginx.conf  (changed by hand)
@@ -1 +1 @@
-a ` + "````" + ` b
+c
+ app1 app2 /etc/systemd/system/plone-site-client{3,4}.service  (waits for site)
~ app1 app2 /etc/plonec/site/deploy.cfg  (waits for site, same but for {address})
@@ -1 +1 @@
+http-address = {address}:8082
~ app1 app2 /etc/systemd/system/plone-site-client{1,2}.service  (waits for site, same but for {unit})
@@ -1 +1 @@
 Tag={unit}
-A
+B
~ lb1 /etc/haproxy/haproxy.cfg  (waits for the clients)
@@ -1 +1,2 @@
+server
17 files: 11 changed, 4 new, 1 removed, 1 with another mode or owner

next    fix what apply would refuse, then
        plonec apply --plan p.json --tree out --host app1,lb1
        plonec deploy --tree out --host app1,lb1 site
`

var uncoloured = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestPlanAsText(t *testing.T) {
	r := Plan{Plan: aPlan(), Given: " --tree out --host app1,lb1", File: "p.json"}
	if got := r.Text(); got != planned {
		t.Errorf("got\n%s", got)
	}
	r.Color = true
	if got := uncoloured.ReplaceAllString(r.Text(), ""); got != planned {
		t.Errorf("with colours another text:\n%s", got)
	}
}

func TestPlanOfNothing(t *testing.T) {
	p := &plan.Plan{Tree: "0123456789abcdef", Hosts: []plan.HostPlan{{Host: "a"}, {Host: "b"}, {Host: "c"}}}
	r := Plan{Plan: p}
	want := "plan    tree 0123456789ab → 3 hosts now\nnothing all 3 hosts\noutage  none\n"
	if got := r.Text(); got != want || p.Due() {
		t.Errorf("due is %v, got\n%s", p.Due(), got)
	}
}

// Dead daemons are named before all else that apply does, and those that
// somebody stopped on purpose to be looked at.
func TestPlanOfDeadDaemons(t *testing.T) {
	p := &plan.Plan{Tree: "0123456789abcdef", Hosts: []plan.HostPlan{
		{
			Host: "a", Due: true, Down: []plan.Daemon{{Unit: "haproxy.service", State: "failed"}, {Unit: "nginx.service", State: "inactive"}},
			Files: []plan.FileChange{{Change: plan.Change{Path: "/etc/x", Kind: plan.Changed}}},
			Apply: []string{"start:haproxy.service", "start:nginx.service", "reload:varnish.service"},
		},
		{Host: "b", Due: true, Down: []plan.Daemon{{Unit: "nginx.service", State: "failed"}}, Apply: []string{"start:nginx.service"}},
		{Host: "c", Stopped: []plan.Daemon{{Unit: "nginx.service", State: "masked"}}},
	}}
	r := Plan{Plan: p}
	want := `plan    tree 0123456789ab → 3 hosts now
apply   a  start haproxy (failed) nginx (inactive); 1 file: reload varnish
        b  start nginx (failed)
nothing c
look    c  nginx (masked) was stopped on purpose, and stays so: systemctl unmask nginx && systemctl enable --now nginx on the host starts it
outage  none
`
	if got := r.Summary(); got != want {
		t.Errorf("got\n%s", got)
	}
}

// What nobody could ask has no outage that is known.
func TestOutageOfHostsThatWereNotAsked(t *testing.T) {
	lost := &plan.Reason{Text: "ssh a: timed out\r\nand out\r"}
	for _, test := range []struct {
		hosts []plan.HostPlan
		want  string
	}{
		{[]plan.HostPlan{{Host: "a", Error: lost}}, "outage  a  not known\n"},
		{[]plan.HostPlan{{Host: "a", Unsure: lost}, {Host: "b", Error: lost}}, "outage  a b  not known\n"},
		{[]plan.HostPlan{{Host: "a"}, {Host: "b", Error: lost}}, "outage  b  not known\n        none on the others\n"},
	} {
		r := Plan{Plan: &plan.Plan{Hosts: test.hosts}}
		got := r.Text()
		if !strings.HasSuffix(got, test.want) {
			t.Errorf("got\n%s\nwant\n%s", got, test.want)
		}
		if !strings.Contains(got, ": ssh a: timed out; and out\n") {
			t.Errorf("lines of a host:\n%s", got)
		}
		if note := "- **outage** " + strings.Join(strings.Fields(strings.SplitN(test.want, "not", 2)[0])[1:], " ") + ": not known\n"; !strings.Contains(r.Markdown(), note) {
			t.Errorf("no %q in\n%s", note, r.Markdown())
		}
	}
	list := []plan.HostStatus{{Host: "a", Error: lost}, {Host: "b", Unfit: &plan.Reason{Text: "it\r\nis so\r"}}}
	if got := Status(list, nil, nil, false); !strings.Contains(got, "a     ssh a: timed out; and out\n") || !strings.Contains(got, "b  it; is so\n") {
		t.Errorf("got\n%s", got)
	}
}

func TestPlanAsMarkdown(t *testing.T) {
	r := Plan{Plan: aPlan()}
	got := r.Markdown()
	for _, want := range []string{
		"| deploy | app1 app2 | site: buildout (deploy.cfg changed), rolling restart of client1 client2, start of client3 client4, each |\n",
		"- **look** db2: not asked: ssh db2: timed out; is it down?\n",
		"\n`````diff\n", "\n`````\n", // longer than the run inside
		"Fix what apply would refuse, then:\n\n```\nplonec apply\nplonec deploy site\n```\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	// What happens is never cut, differences are.
	p := aPlan()
	p.Hosts[4].Files[2].Diff = strings.Repeat("+long\n", maxMarkdown)
	p.Hosts[4].Refused[0].Text = "a | b <script> `c`"
	got = (&Plan{Plan: p}).Markdown()
	if len(got) > maxMarkdown+10_000 || !strings.Contains(got, "~ lb1 /etc/nginx/nginx.conf  (changed by hand, the difference is too long for here: plonec plan shows it)\n") ||
		!strings.Contains(got, "+server\n") {
		t.Errorf("%d bytes:\n%.2000s", len(got), got)
	}
	if !strings.Contains(got, "a \\| b \\<script\\> \\`c\\`") {
		t.Error("what a host says is taken for Markdown")
	}
}

func TestPlanNext(t *testing.T) {
	app := func(name string, a plan.AppPlan) plan.AppPlan { a.App = name; return a }
	build, start, restart, moves := plan.AppPlan{Build: "x"}, plan.AppPlan{Start: []string{"u"}}, plan.AppPlan{Restart: []string{"u"}}, plan.AppPlan{Moves: "x"}
	front := plan.HostPlan{Files: []plan.FileChange{{Change: plan.Change{Waits: plan.Front}}}}
	for _, test := range []struct {
		hosts []plan.HostPlan
		want  string
	}{
		{[]plan.HostPlan{{}}, ""},
		{[]plan.HostPlan{{Due: true}}, "plonec apply"},
		{[]plan.HostPlan{front}, "plonec deploy"},
		{[]plan.HostPlan{{Deploy: []plan.AppPlan{app("site", start)}}, {Deploy: []plan.AppPlan{app("site", restart)}}}, "plonec restart --changed site"},
		{[]plan.HostPlan{front, {Deploy: []plan.AppPlan{app("site", start)}}}, "plonec start site"},
		{[]plan.HostPlan{{Deploy: []plan.AppPlan{app("site", build), app("db", build)}}}, "plonec deploy db site"},
		{[]plan.HostPlan{{Deploy: []plan.AppPlan{app("site", build), app("db", plan.AppPlan{Build: "x", NewDatabase: "/data"})}}}, "plonec deploy --new-database db; plonec deploy site"},
		{[]plan.HostPlan{{Due: true, Deploy: []plan.AppPlan{app("site", build), app("db", moves)}}}, "plonec apply; plonec deploy --allow-outage db; plonec deploy site"},
	} {
		r := Plan{Plan: &plan.Plan{Apps: []string{"db", "site"}, Hosts: test.hosts}}
		if got := strings.Join(r.next(), "; "); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

func TestGeneric(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"a 10.0.0.2:8081 b", "a {address}:8081 b"},
		{"10.0.0.2", "{address}"},
		{"10.0.0.21 110.0.0.2 10.0.0.2.example 10.0.0.2,10.0.0.2", "10.0.0.21 110.0.0.2 10.0.0.2.example {address},{address}"},
	} {
		if got := generic(test.text, "10.0.0.2", "{address}"); got != test.want {
			t.Errorf("%s: got %s, want %s", test.text, got, test.want)
		}
	}
}

func TestStatusAsText(t *testing.T) {
	units := func(states ...string) []plan.Unit {
		var list []plan.Unit
		for i, state := range states {
			list = append(list, plan.Unit{Name: "plone-site-client" + string(rune('1'+i)) + ".service", State: state, Agent: "up"})
		}
		return list
	}
	drained := units("active", "active")
	drained[0].Agent, drained[1].Agent = "down", "drained by hand"
	drained[0].Behind, drained[1].Behind = "database on db1", "database on db1"
	list := []plan.HostStatus{
		{
			Host: "app1", Generation: "7", Applied: "2026-11-25T11:18:58Z", Commit: "fedcba9876543210", Current: true,
			Apps: []plan.AppStatus{{App: "site", Release: "20261125111930", Commit: "aaaaaaaaaa", State: "good", Packages: "p1", Units: drained, Bad: []string{"20261124000000"}}},
		},
		{
			Host: "app2", Generation: "7", Applied: "2026-11-25T11:18:58Z", Commit: "fedcba9876543210", Drift: []string{"/etc/x"},
			Apps: []plan.AppStatus{{App: "site", Release: "20261125111930", Commit: "aaaaaaaaaa", State: "good", Packages: "p2", Units: append(units("active", "failed"),
				plan.Unit{Name: "plone-site-volto1.service", Kind: "volto", State: "active", Agent: "up"},
				plan.Unit{Name: "plone-site-volto2.service", Kind: "volto", State: "active", Agent: "drained"})}},
			Pending: []plan.Pending{{Text: "1 file of the tree", Command: "plonec apply"}},
		},
		{Host: "app3", Error: &plan.Reason{Text: "ssh app3: timed out", Hint: "is it down?"}},
		{
			Host: "lb1", Generation: "1", Applied: "2026-11-25T10:49:11Z", Lock: "root@ci", Services: []plan.Service{{Name: "haproxy", State: "active"}, {Name: "nginx", State: "failed"}, {Name: "varnish", State: "disabled", Start: "systemctl enable --now varnish"}},
			Pending: []plan.Pending{{Text: "1 file of the tree", Command: "plonec apply"}},
		},
		{Host: "lb2"},
	}
	want := `host  generation  applied           tree     app   release         commit   state  running
app1  7           2026-11-25 11:18  fedcba9  site  20261125111930  aaaaaaa  good   2/2 clients (1 drained)
app2  7           2026-11-25 11:18  fedcba9  site  20261125111930  aaaaaaa  good   1/2 clients, 2/2 Volto processes (1 drained)
app3  ssh app3: timed out
lb1   1           2026-11-25 10:49  -        -     -               -        -      haproxy, nginx failed, varnish disabled
lb2   nothing was applied yet
app9  stopped in the stack

pending app2 lb1  1 file of the tree: plonec apply
drift   app2      changed by hand: /etc/x: put it into the stack, or undo it with plonec apply --force
look    app1      site: the server of its database, database on db1, restarted after client1, client2 came up, and writes may fail: plonec restart site --host app1
        app1      client1 is left out of the balancers: plonec restart --changed site
        app1      client2 is drained by hand: plonec undrain app1
        app2      volto2 is drained: plonec undrain app2
        app3      is it down?
        lb1       at work: root@ci
        lb1       nginx is failed: journalctl -u nginx
        lb1       varnish is stopped on purpose, disabled: systemctl enable --now varnish on the host starts it
        site: hosts run different packages of the same commit (app1 p1, app2 p2): plonec deploy --always site
`
	if got := Status(list, []tree.Host{{Name: "app9", Status: "stopped"}}, nil, false); got != want {
		t.Errorf("got\n%s", got)
	}
	list[1].Apps[0].Commit = "bbbbbbbbbb"
	got := Status(list, nil, nil, false)
	if !strings.Contains(got, "site: hosts run different commits (app1 aaaaaaa, app2 bbbbbbb): plonec deploy site\n") || strings.Contains(got, "packages") {
		t.Errorf("other commits:\n%s", got)
	}
}

// What became of releases: an old failure is no news, a new one has a remedy,
// and what a rollback could go to is listed.
func TestReleasesInStatus(t *testing.T) {
	zeo := plan.Unit{Name: "plone-site-zeo.service", State: "active", Release: "20261101000000"}
	for _, test := range []struct {
		app  plan.AppStatus
		want string // in place of what is there of the app, below the table
	}{
		{plan.AppStatus{Release: "20261102000000", Kept: []string{"20261101000000", "20261102000000"}, Bad: []string{"20261101000000"}, Commits: map[string]string{"20261102000000": "bbbbbbbbbb"}},
			"kept    db1  site: 20261102000000 bbbbbbb (current), 20261101000000 (bad)\n"},
		{plan.AppStatus{App: "site", Release: "20261102000000", Kept: []string{"20261102000000"}, Foreign: []string{"20160101000000 (1.2G)"}},
			"foreign db1  site: among its releases and not plonec's: 20160101000000 (1.2G); they stay; plonec undeploy --foreign site removes what nothing needs\n"},
		{plan.AppStatus{Release: "20261102000000", Kept: []string{"20261102000000"}}, ""},
		{plan.AppStatus{Release: "20261102000000", Kept: []string{"20261102000000", "20261103000000", "20261104000000"}, Bad: []string{"20261103000000", "20261104000000"}, Failed: []string{"20261104000000"}},
			"look    db1  site: release 20261104000000 was not built, see /var/log/plonec/site-20261104000000.log there; current is 20261102000000: fix it, then plonec deploy site\nkept    db1  site: 20261103000000 (bad), 20261102000000 (current)\n"},
		// A pusher's clock was ahead: in the order in which they were made.
		{plan.AppStatus{Release: "20390102000000", Kept: []string{"20390102000000", "20261104000000"}, Bad: []string{"20261104000000"}, Commits: map[string]string{}},
			"look    db1  site: release 20261104000000 did not come up, or was rolled back from; current is 20390102000000: fix it, then plonec deploy site\nkept    db1  site: 20261104000000 (bad), 20390102000000 (current)\n"},
		{plan.AppStatus{Release: "none", Kept: []string{"20261104000000"}, Bad: []string{"20261104000000"}},
			"look    db1  site: release 20261104000000 was not built, did not come up, or was rolled back from; current is none: fix it, then plonec deploy site\nkept    db1  site: 20261104000000 (bad)\n"},
	} {
		test.app.App, test.app.State, test.app.Units = "site", "good", []plan.Unit{zeo}
		got := Status([]plan.HostStatus{{Host: "db1", Generation: "1", Apps: []plan.AppStatus{test.app}}}, nil, nil, false)
		table, notes, _ := strings.Cut(got, "\n\n")
		if notes != test.want {
			t.Errorf("got\n%s\nwant\n%s", notes, test.want)
		}
		// A ZEO server goes on with an older release where nothing of its own is another.
		if !strings.HasSuffix(strings.TrimSpace(table), "  zeo of 20261101000000") {
			t.Errorf("its release is not shown:\n%s", table)
		}
	}
}

func TestUnwell(t *testing.T) {
	active, failed := plan.Unit{State: "active"}, plan.Unit{State: "failed"}
	if Unwell(plan.HostStatus{Apps: []plan.AppStatus{{Units: []plan.Unit{active}, Jobs: []plan.Job{{Result: "done", Timer: "active"}, {Result: "skipped"}, {Result: "running"}}}},
		Services: []plan.Service{{State: "active"}}}) {
		t.Error("all is well")
	}
	for _, h := range []plan.HostStatus{
		{Pending: []plan.Pending{{}}}, {Drift: []string{"/etc/x"}}, {Unfit: &plan.Reason{}},
		{Apps: []plan.AppStatus{{Jobs: []plan.Job{{Result: "done"}, {Result: "failed"}}}}}, {Apps: []plan.AppStatus{{Jobs: []plan.Job{{Result: "cut short"}}}}},
		{Apps: []plan.AppStatus{{Jobs: []plan.Job{{Result: "done", Timer: "inactive"}}}}},
		{Services: []plan.Service{{State: "failed"}}}, {Apps: []plan.AppStatus{{Units: []plan.Unit{active, failed}}}},
	} {
		if !Unwell(h) {
			t.Errorf("%+v is well", h)
		}
	}
}

// What is done now and then is told, and what to do where it was not.
func TestJobs(t *testing.T) {
	const next = "2026-12-06T01:00:00Z"
	for _, test := range []struct {
		job  plan.Job
		want string
	}{
		{plan.Job{Timer: "active", Next: next}, "jobs    db1  site: pack not done yet, next 2026-12-06 01:00\n"},
		{plan.Job{Result: "done", Began: "2026-11-29T01:00:00Z", Ended: "2026-11-29T01:07:02Z", By: "timer", Timer: "active", Next: next},
			"jobs    db1  site: pack done 2026-11-29 01:07, next 2026-12-06 01:00\n"},
		{plan.Job{Result: "running", Began: "2026-11-29T01:00:00Z", By: "hand"}, "jobs    db1  site: pack running 2026-11-29 01:00\n"},
		{plan.Job{Result: "skipped", Ended: "2026-11-29T01:00:00Z", By: "timer", Why: "site is stopped", Timer: "active"}, "jobs    db1  site: pack skipped 2026-11-29 01:00 (site is stopped)\n"},
		{plan.Job{Result: "failed", Ended: "2026-11-29T01:00:00Z", By: "timer", Why: "so", Timer: "active", Next: next},
			"look    db1  site: pack failed 2026-11-29 01:00 (so): see journalctl -u plone-site-pack there, then plonec run pack --host db1\n" +
				"jobs    db1  site: pack failed 2026-11-29 01:00 (so), next 2026-12-06 01:00\n"},
		{plan.Job{Result: "cut short", Began: "2026-11-29T01:00:00Z", By: "hand"},
			"look    db1  site: pack cut short 2026-11-29 01:00: plonec run pack --host db1\njobs    db1  site: pack cut short 2026-11-29 01:00\n"},
		{plan.Job{Result: "done", Ended: "2026-11-29T01:00:00Z", Timer: "inactive", Next: next},
			"look    db1  site: the timer of pack is inactive: systemctl enable --now plone-site-pack.timer on the host starts it\njobs    db1  site: pack done 2026-11-29 01:00\n"},
	} {
		test.job.Name, test.job.Unit = "pack", "plone-site-pack"
		app := plan.AppStatus{App: "site", State: "good", Jobs: []plan.Job{test.job}}
		_, notes, _ := strings.Cut(Status([]plan.HostStatus{{Host: "db1", Generation: "1", Apps: []plan.AppStatus{app}}}, nil, nil, false), "\n\n")
		if notes != test.want {
			t.Errorf("got\n%s\nwant\n%s", notes, test.want)
		}
	}
}

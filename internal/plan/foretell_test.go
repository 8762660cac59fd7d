package plan

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/secret"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/tree"
)

// The scripts' data of an app, as far as a plan reads it.
const (
	buildConf = `SCM_REVISION='main'
BUILD_FLAGS=('-N')
`
	deployCfg = "[buildout]\nparts = client1\n"
)

// host makes a host with the app site, a ZEO server and two clients, and what of it
// changes.
func host(changes ...Change) *Host {
	content := map[string]string{"app.conf": "APP='site'\n", "build.conf": buildConf, "deploy.cfg": deployCfg, "secrets.env": "PLONEC_DSN=\"s3cret\"\n", "plonec-secret-1.cfg": "x"}
	m := &Host{tree: &Tree{Disk: &tree.Disk{Manifest: &tree.Manifest{}}, Values: true}, Changes: changes, Seen: seen(nil, nil)}
	m.Host = tree.Host{Name: "app1", Apps: []tree.App{{Name: "site", Config: "cfg", Storage: "ZEO 10.0.0.9:8001", DataFS: "/data/it's", Revision: "main"}}}
	for _, name := range []string{"zeo", "client1", "client2"} {
		m.Services = append(m.Services, tree.Service{Unit: "plone-site-" + name + ".service", Kind: strings.TrimRight(name, "12"), App: "site"})
	}
	for _, name := range []string{"app.conf", "build.conf", "deploy.cfg", "secrets.env", "plonec-secret-1.cfg"} {
		w := Wanted{Path: "/etc/plonec/site/" + name, Content: []byte(content[name])}
		if name == "plonec-secret-1.cfg" {
			w.Effects = []string{"deploy:site"}
		}
		m.Want = append(m.Want, w)
	}
	return m
}

// own adds a service of the host's own to what it should have.
func (m *Host) own(unit string) { m.Services = append(m.Services, tree.Service{Unit: unit}) }

// state is what a host says that runs all it should; with pairs of a key and
// another value.
func state(pairs ...string) map[string]string {
	s := map[string]string{"site.release": "20261101120000", "site.state": "good", "site.config": "cfg", "site.storage": "ZEO 10.0.0.9:8001"}
	for _, unit := range []string{"zeo", "client1", "client2"} {
		s["site.unit.plone-site-"+unit+".service.state"] = "active"
	}
	for i := 0; i < len(pairs); i += 2 {
		s["site."+pairs[i]] = pairs[i+1]
	}
	return s
}

func waits(file string, kind ChangeKind, effects ...string) Change {
	path := "/etc/plonec/site/" + file
	if strings.HasSuffix(file, ".service") {
		path = "/etc/systemd/system/" + file
	}
	return Change{Path: path, Kind: kind, Waits: "site", Effects: effects}
}

func TestForetell(t *testing.T) {
	const client2 = "plone-site-client2.service"
	for _, test := range []struct {
		name          string
		changes       []Change
		state         map[string]string
		text, command string // empty: nothing is left to do
	}{
		{"nothing", nil, state(), "", ""},
		{"what goes live by itself", []Change{{Path: "/etc/plonec/site/app.conf", Kind: Changed}}, state(), "", ""},
		{"a first deploy", nil, map[string]string{"site.release": "none"}, "buildout (there is no release yet), start of zeo client1 client2", "deploy --new-database"},
		{"nothing applied yet", nil, nil, "buildout (there is no release yet), start of zeo client1 client2", "deploy --new-database"},
		{"deploy.cfg", []Change{waits("deploy.cfg", Changed, "deploy:site")}, state("config", "other"),
			"buildout (deploy.cfg changed), rolling restart of client1 client2, perhaps restart of zeo", "deploy"},
		{"deploy.cfg goes back to what the release has", []Change{waits("deploy.cfg", Changed, "deploy:site")}, state(), "1 file", "restart --changed"},
		{"scripts that do not tell", []Change{waits("build.conf", Changed, "deploy:site")}, state("config", ""),
			"buildout (what the buildout is run with changed), rolling restart of client1 client2, perhaps restart of zeo", "deploy"},
		{"a secret part of deploy.cfg", []Change{waits("plonec-secret-1.cfg", Changed, "deploy:site")}, state(),
			"buildout (a secret part of deploy.cfg changed), rolling restart of client1 client2, perhaps restart of zeo", "deploy"},
		{"rolled back to other secret parts", nil, state("other-secrets", "1"),
			"buildout (the current release was built with other secret parts of deploy.cfg), rolling restart of client1 client2, perhaps restart of zeo", "deploy"},
		{"rolled back to another deploy.cfg", nil, state("config", "other"),
			"buildout (the current release was built with another deploy.cfg), rolling restart of client1 client2, perhaps restart of zeo", "deploy"},
		{"a bad release", nil, state("state", "bad"),
			"buildout (the current release is marked bad), rolling restart of client1 client2, perhaps restart of zeo", "deploy"},
		{"a unit", []Change{waits(client2, Changed, "restart:"+client2)}, state(), "rolling restart of client2", "restart --changed"},
		{"a unit that goes", []Change{waits("plone-site-client3.service", Removed, "restart:plone-site-client3.service")}, state(), "stop of client3", "restart --changed"},
		{"the environment", []Change{waits("app.env", Changed, "deploy:site")}, state(), "rolling restart of client1 client2", "restart --changed"},
		{"a process of before", nil, state("unit."+client2+".pending", "was started with an earlier unit"), "rolling restart of client2", "restart --changed"},
		{"one that does not run", nil, state("unit."+client2+".state", "failed", "unit."+client2+".pending", "is not running"), "start of client2", "start"},
		{"stopped on purpose", nil, state("unit."+client2+".state", "inactive", "stopped", "1"), "start of client2, it was stopped on purpose", "start"},
		{"another database", nil, state("storage", "ZEO 10.0.0.8:8001"), "buildout (its database moves), stop of all, switch, start", "deploy --allow-outage"},
		{"another database in what is built", nil, state("storage-switch", "the server a:1 → the server b:1"), "buildout (its database moves), stop of all, switch, start", "deploy --allow-outage"},
		{"a switch cut short", nil, state("unfinished-switch", "1 2"), "the end of a switch that was cut short", "deploy"},
	} {
		t.Run(test.name, func(t *testing.T) {
			plans := host(test.changes...).foretell(test.state)
			if test.text == "" {
				if len(plans) > 0 {
					t.Errorf("%+v", plans)
				}
				return
			}
			if len(plans) != 1 {
				t.Fatalf("%+v", plans)
			}
			if text, command := plans[0].String(), plans[0].Command(); text != test.text || command != test.command {
				t.Errorf("%s: %s\nwant %s: %s", command, text, test.command, test.text)
			}
		})
	}
	if plans := host().foretell(nil); plans[0].NewDatabase != "/data/it's" {
		t.Errorf("a first start wants a database in %q", plans[0].NewDatabase)
	}
}

// A DSN is a secret: another one is seen by what the host says of those that it
// has, hidden by the nonce of the run.
func TestMovesWithDSN(t *testing.T) {
	const live, next = "/etc/plonec/site/secrets.env", "/var/lib/plonec/pending/site/etc/plonec/site/secrets.env"
	const before = "postgresql at DSN (0123456789abcdef)"
	m := host()
	m.tree.Nonce = "n"
	m.Host.Apps[0].Storage = "postgresql at DSN"
	mine, other := m.tree.hide(tree.Sum([]byte("PLONEC_DSN=\"s3cret\"\n"))), m.tree.hide(tree.Sum([]byte("PLONEC_DSN=\"other\"\n")))
	for _, test := range []struct {
		name    string
		storage string // of the current release
		dsns    map[string]string
		byHost  string // what it says moves with what it has
		moves   bool
	}{
		{"the same", before, map[string]string{live: mine}, "", false},
		{"another", before, map[string]string{live: other}, "", true},
		{"it waits, and the host says that it moves", before, map[string]string{live: other, next: mine}, "x", true},
		{"it waits, and the release has it", before, map[string]string{live: other, next: mine}, "", false},
		{"another one waits, and is taken back", before, map[string]string{live: mine, next: other}, "x", false},
		{"none so far", "ZEO 10.0.0.9:8001", nil, "", true},
	} {
		m.Seen.DSNs = test.dsns
		got := m.moves("site", state("storage", test.storage, "storage-moves", test.byHost))
		if (got != "") != test.moves || strings.Contains(got, "0123456789ab") {
			t.Errorf("%s: %q", test.name, got)
		}
	}
	m.Want[3].Content = nil // without values the host is believed
	for _, said := range []string{"", "x"} {
		if got := m.moves("site", state("storage", before, "storage-moves", said)); (got != "") != (said != "") {
			t.Errorf("the host says %q: %q", said, got)
		}
	}
}

func TestEffects(t *testing.T) {
	const (
		unit  = "/etc/systemd/system/backup.timer"
		does  = "/etc/systemd/system/backup.service"
		conf  = "/etc/haproxy/haproxy.cfg"
		users = "/etc/haproxy/users.cfg"
		dflt  = "/etc/default/haproxy"
	)
	there := map[string]string{conf: "1 reload:haproxy.service", users: "1 reload:haproxy.service", dflt: "1 restart:haproxy.service", unit: "1 start:backup.timer"}
	change := func(path string, kind ChangeKind, effect string) Change {
		return Change{Path: path, Kind: kind, Effects: []string{effect}}
	}
	for _, test := range []struct {
		name    string
		live    map[string]string
		want    []string // files that the host should have, of haproxy
		changes []Change
		effects []string
	}{
		{"nothing", there, nil, nil, []string{}},
		{"a reload", there, []string{conf}, []Change{change(conf, Changed, "reload:haproxy.service")}, []string{"reload:haproxy.service"}},
		{"a restart is more than a reload", there, []string{conf},
			[]Change{change(conf, Changed, "reload:haproxy.service"), change(dflt, Changed, "restart:haproxy.service"), change(users, Changed, "reload:haproxy.service")},
			[]string{"restart:haproxy.service"}},
		{"a daemon that was not there", nil, []string{conf}, []Change{change(conf, Added, "reload:haproxy.service")}, []string{"start:haproxy.service"}},
		{"another mode is read by nobody", there, []string{conf}, []Change{change(conf, ModeOnly, "reload:haproxy.service")}, []string{}},
		{"a file that goes", there, []string{conf}, []Change{change(users, Removed, "reload:haproxy.service")}, []string{"reload:haproxy.service"}},
		{"a service that goes is stopped", there, nil, []Change{change(conf, Removed, "reload:haproxy.service")}, []string{"stop:haproxy.service"}},
		{"a unit that goes is stopped", there, []string{conf},
			[]Change{change(unit, Removed, "start:backup.timer"), change(conf, Changed, "reload:haproxy.service")}, []string{"stop:backup.timer", "reload:haproxy.service"}},
		{"a timer that is new is started", there, []string{conf}, []Change{{Path: does, Kind: Added}, change(unit, Added, "restart:backup.timer")}, []string{"start:backup.timer"}},
		{"a timer that changes", there, []string{conf}, []Change{{Path: does, Kind: Changed}, change(unit, Changed, "restart:backup.timer")}, []string{"restart:backup.timer"}},
		{"what a timer starts goes with it", there, []string{conf}, []Change{{Path: does, Kind: Removed}, change(unit, Removed, "restart:backup.timer")}, []string{"stop:backup.timer"}},
		{"what waits", there, []string{conf}, []Change{{Path: conf, Kind: Changed, Waits: Front, Effects: []string{"reload:haproxy.service"}}}, []string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := host(test.changes...)
			m.Seen = seen(nil, test.live)
			m.Seen.Services["haproxy.service"] = ServiceState{Kind: "haproxy"}
			if test.want != nil || test.changes == nil {
				m.own("haproxy.service")
			}
			last := m.Turn() == topology.RankFronts
			if leaves := strings.HasPrefix(test.name, "a service that goes"); last != leaves {
				t.Errorf("it comes last: %v", last)
			}
			if got := m.effects(); !reflect.DeepEqual(got, test.effects) {
				t.Errorf("got %q, want %q", got, test.effects)
			}
		})
	}
}

// The agent restarts where only its script is another, and nowhere that there
// is none.
func TestEffectsOnTheAgent(t *testing.T) {
	script := Change{Path: agentScript, Kind: Changed}
	for _, test := range []struct {
		name    string
		there   bool // the agent's unit, on the host
		changes []Change
		want    []string
	}{
		{"its script", true, []Change{script}, []string{"restart:plonec-agent.service"}},
		{"its script came away", true, []Change{{Path: agentScript, Kind: Added}}, []string{"restart:plonec-agent.service"}},
		{"another mode", true, []Change{{Path: agentScript, Kind: ModeOnly}}, []string{}},
		{"another script", true, []Change{{Path: ScriptDir + "/agent.sh", Kind: Changed}}, []string{}},
		{"its script, where there is no agent", false, []Change{script}, []string{}},
		{"its script, and its unit waits", true, []Change{script, {Path: agentUnit, Kind: Changed, Waits: "site", Effects: []string{"restart:plonec-agent.service"}}}, []string{"restart:plonec-agent.service"}},
		{"its script, and its first unit waits", false, []Change{script, {Path: agentUnit, Kind: Added, Waits: "site", Effects: []string{"restart:plonec-agent.service"}}}, []string{}},
		{"its script, and its unit goes", true, []Change{script, {Path: agentUnit, Kind: Removed, Effects: []string{"restart:plonec-agent.service"}}}, []string{"stop:plonec-agent.service"}},
	} {
		m := host(test.changes...)
		m.Seen = seen(nil, map[string]string{agentScript: "1"})
		if test.there {
			m.own("plonec-agent.service")
			m.Seen = seen(map[string]string{agentUnit: "1"}, map[string]string{agentScript: "1", agentUnit: "1 restart:plonec-agent.service"})
		}
		if got := m.effects(); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// apply is due where what waits is another than what should, and not where it
// waits already; a file that is held back has to be in the generation.
func TestDue(t *testing.T) {
	m := host(waits("deploy.cfg", Changed))
	m.Want[2].Sum = "new"
	m.tree.Disk = &tree.Disk{Sum: "tree2"}
	m.Seen.Generation, m.Seen.Tree = "3", "tree1"
	due := func(what string, want bool) {
		t.Helper()
		if m.Due() != want {
			t.Errorf("%s: due is %v", what, !want)
		}
	}
	due("a file to wait", true)
	m.Seen.Waits = map[string]WaitState{"/etc/plonec/site/deploy.cfg": {"site", "new"}}
	due("it waits already", false)
	m.Seen.Waits["/etc/plonec/site/deploy.cfg"] = WaitState{"site", "old"}
	due("an earlier text of it waits", true)
	m.Changes = nil
	due("it should wait no longer", true)
	m.Seen.Waits = nil
	due("nothing", false)
	m.Changes = []Change{{Path: Balancing, Kind: Changed, Waits: Front}}
	due("a file that is held back, and was not brought", true)
	m.Seen.Tree = "tree2"
	due("a file that is held back, and was", false)
}

func TestUnforeseen(t *testing.T) {
	m := host(waits("deploy.cfg", Changed))
	planned := HostPlan{Host: "app1", Digest: m.Seen.Digest(), Files: []FileChange{{Change: m.Changes[0]}}}
	for _, test := range []struct {
		name  string
		plan  []HostPlan
		wrong string
	}{
		{"as planned", []HostPlan{planned}, ""},
		{"a host that was not planned for", nil, "app1: the plan does not have this host"},
		{"a host that is not there", []HostPlan{planned, {Host: "app2"}}, "app2: the plan has this host, but it is not one of the hosts now"},
		{"a host that changed", []HostPlan{{Host: "app1", Digest: "other", Files: planned.Files}}, "app1: the host changed after the plan was made"},
		{"what could not be known", []HostPlan{{Host: "app1", Digest: planned.Digest, Unasked: []string{m.Changes[0].Path}}}, ""},
		{"another secret", []HostPlan{{Host: "app1", Digest: planned.Digest}}, "app1: the files that change differ from the plan: check that the secrets are the same"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, s := range (&Plan{Hosts: test.plan}).Unforeseen([]*Host{m}) {
				got = append(got, s.Host+": "+s.Text)
			}
			if strings.Join(got, "\n") != test.wrong {
				t.Errorf("got %q, want %q", got, test.wrong)
			}
		})
	}
}

func TestReadPlan(t *testing.T) {
	for text, good := range map[string]bool{
		`{"format": 1, "tree": "x"}`: true, `{"format": 2}`: false, `{}`: false, `[`: false, ``: false,
	} {
		if _, err := ReadPlan([]byte(text)); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What a host says of itself, and that another answer is another digest.
func TestObservation(t *testing.T) {
	read := func(lines ...string) *Observation {
		o := NewObservation()
		for _, line := range lines {
			o.Read(strings.Split(line, "\t"))
		}
		return o
	}
	lines := []string{
		"generation\t4", "tree\tt", "setup\ts", "unconfirmed\t5", "free\t1000",
		"live\taa\treload:nginx.service\t/etc/nginx/nginx.conf", "live\tbb\t-\t/etc/plonec/host.env",
		"waits\t/site/etc/plonec/site/deploy.cfg\tcc", "waits\t/site/etc/systemd/system/plone-site-client3.service",
		"file\t~ff\t0600\troot:root\t/etc/plonec/key", "live\t~ff\t-\t/etc/plonec/key", "source\tnames\t/etc/plonec/key", "differs\t3\t/etc/z",
		"dsn\t~dd\t/etc/d", "service\tnginx.service\tnginx\t-", "service\tx.service\tclient\tsite", "packages\tnginx varnish", "original\t/etc/nginx/nginx.conf", "file\taa\t0644\troot:root\t/etc/nginx/nginx.conf", "odd\t/etc/x", "text\t/etc/y\taGk=",
	}
	o := read(lines...)
	if o.Generation != "4" || o.Setup != "s" || o.Unconfirmed != "5" || o.FreeKiB != 1000 || !o.Originals["/etc/nginx/nginx.conf"] || !o.Odd["/etc/x"] ||
		string(o.Texts["/etc/y"]) != "hi" || o.Files["/etc/nginx/nginx.conf"] != (FileState{"aa", "0644", "root:root"}) {
		t.Errorf("%+v", o)
	}
	if o.Sources["/etc/plonec/key"] != "names" || o.Differs["/etc/z"] != 3 || o.DSNs["/etc/d"] != "~dd" {
		t.Errorf("%+v", o)
	}
	if o.Services["nginx.service"] != (ServiceState{Kind: "nginx"}) || o.Services["x.service"] != (ServiceState{"client", "site", 1}) || !slices.Equal(o.Packages, []string{"nginx", "varnish"}) {
		t.Errorf("%+v", o)
	}
	if l := o.Live["/etc/nginx/nginx.conf"]; !reflect.DeepEqual(l, LiveState{"aa", []string{"reload:nginx.service"}}) || o.Live["/etc/plonec/host.env"].Effects != nil {
		t.Errorf("%+v", o.Live)
	}
	if !reflect.DeepEqual(o.Waits, map[string]WaitState{
		"/etc/plonec/site/deploy.cfg": {"site", "cc"}, "/etc/systemd/system/plone-site-client3.service": {"site", ""},
	}) {
		t.Errorf("%+v", o.Waits)
	}
	for _, path := range []string{"/etc/plonec/site/deploy.cfg cc", "/etc/nginx/nginx.conf aa", "/etc/z "} {
		name, sum, _ := strings.Cut(path, " ")
		if got := o.recorded(name); got != sum {
			t.Errorf("%s was put there as %q, want %q", name, got, sum)
		}
	}
	for i, line := range lines {
		other := read(slices.Replace(slices.Clone(lines), i, i+1, strings.Replace(line, "aa", "ab", 1)+"x")...)
		counts := !strings.HasPrefix(line, "setup") && !strings.HasPrefix(line, "service") && !strings.HasPrefix(line, "packages") && !strings.HasPrefix(line, "source") && !strings.HasPrefix(line, "differs") && !strings.HasPrefix(line, "dsn") && !strings.HasPrefix(line, "unconfirmed") && !strings.HasPrefix(line, "free") &&
			!strings.HasPrefix(line, "original") && !strings.HasPrefix(line, "odd") && !strings.HasPrefix(line, "text")
		if (other.Digest() != o.Digest()) != counts {
			t.Errorf("%q: another digest: %v", line, !counts)
		}
	}
}

// A sum of a secret is hidden in another way in each run: the digest of a host is
// the same, and says what the secrets are to each other.
func TestDigestWithoutSums(t *testing.T) {
	digest := func(file, live, waits string) string {
		o := NewObservation()
		o.Files["/s"], o.Live["/s"] = FileState{file, "0600", "root:root"}, LiveState{Sum: live}
		if waits != "" {
			o.Waits["/s"] = WaitState{"site", waits}
		}
		return o.Digest()
	}
	if digest("~a", "~a", "~b") != digest("~c", "~c", "~d") {
		t.Error("another nonce is another digest")
	}
	seen := map[string]bool{}
	for _, d := range []string{digest("~a", "~a", ""), digest("~a", "~b", ""), digest("~a", "~a", "~b"), digest("~a", "~b", "~a"), digest("~a", "~b", "~c")} {
		if seen[d] {
			t.Error("two states have one digest")
		}
		seen[d] = true
	}
}

// The diff of a file that is no text, or that is not there to be read, is none.
func TestShown(t *testing.T) {
	c := Change{Path: "/etc/x", Kind: Changed}
	for _, test := range []struct {
		name, before, after string
		change              Change
		unshown             string
	}{
		{"text", "a\n", "b\n", c, ""},
		{"binary", "a\x00", "b\n", c, "binary"},
		{"no UTF-8", "a\n", "b\xff", c, "binary"},
		{"larger than the host gives", "", "b\n", c, "large"},
		{"a secret", "a\n", "b\n", Change{Path: "/etc/x", Kind: Changed, Secret: true}, "secret"},
		{"not plonec's", "a\n", "b\n", Change{Path: "/etc/x", Kind: Changed, Foreign: true}, "the existing file is not plonec's"},
		{"changed by hand", "a\n", "b\n", Change{Path: "/etc/x", Kind: Changed, Drift: true}, "changed by hand"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := host()
			m.tree.Redactor = secret.NewRedactor()
			m.Want = []Wanted{{Path: "/etc/x", Content: []byte(test.after)}}
			m.Seen.Texts = map[string][]byte{}
			if test.before != "" {
				m.Seen.Texts["/etc/x"] = []byte(test.before)
			}
			fc := m.shown(test.change, true)
			if fc.Unshown != test.unshown || (fc.Diff == "") != (test.unshown != "") {
				t.Errorf("%+v", fc)
			}
			if without := m.shown(test.change, false); without.Diff != "" {
				t.Errorf("asked for no diff: %+v", without)
			}
		})
	}
	m := host()
	m.tree.Redactor = secret.NewRedactor(secret.NewValue("hunter22"))
	m.Want = []Wanted{{Path: "/etc/x", Content: []byte("b\n")}}
	m.Seen.Texts = map[string][]byte{"/etc/x": []byte("password hunter22\n")}
	if fc := m.shown(c, true); strings.Contains(fc.Diff, "hunter22") || !strings.Contains(fc.Diff, "-password ***") {
		t.Errorf("a secret that somebody wrote into it: %s", fc.Diff)
	}
}

// Another revision may lead to another commit: only a deploy looks.
func TestForetellAnotherRevision(t *testing.T) {
	for before, want := range map[string]string{
		buildConf: "restart --changed",
		strings.Replace(buildConf, "SCM_REVISION='main'", "SCM_REVISION='v1'", 1): "deploy",
	} {
		m := host(waits("build.conf", Changed, "deploy:site"))
		m.Seen.Texts = map[string][]byte{"/etc/plonec/site/build.conf": []byte(before)}
		plans := m.foretell(state())
		if len(plans) != 1 || plans[0].Command() != want {
			t.Fatalf("%q: %+v", before, plans)
		}
		if text := plans[0].String(); (want == "deploy") != (text == "buildout if main leads to another commit") {
			t.Errorf("it says %q", text)
		}
	}
}

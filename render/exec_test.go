package render

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// withUnit is a host with a release and the unit of a client, as it is rendered.
func withUnit(t *testing.T) *releasesHost {
	t.Helper()
	r := newReleasesHost(t, nil)
	const unit = "plone-site-client1.service"
	r.conf("app.conf", "UNITS_OF_APP=(plone-site-zeo.service "+unit+") CLIENT_UNITS=("+unit+")\n")
	h := processHost()
	h.Apps[0].Config.DeployTo = "/srv/100%/site"
	r.write(r.root+"/etc/systemd/system/"+unit, content(t, h, "/etc/systemd/system/"+unit))
	r.release("20260101000000", "good", 1)
	r.link(r.deployTo+"/current", "releases/20260101000000")
	return r
}

// standIn has the verbs of the host run a program in place of systemd's or the
// journal's.
func (r *releasesHost) standIn(verb, program, script string) {
	r.t.Helper()
	file := r.scripts + "/verbs/" + verb
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "\n"+program+" ") && !strings.Contains(string(text), "exec "+program+" ") {
		r.t.Fatalf("%s does not call %s: %v", file, program, err)
	}
	r.write(r.root+"/"+program, "#!/bin/bash\n"+script)
	if err := os.Chmod(r.root+"/"+program, 0o755); err != nil {
		r.t.Fatal(err)
	}
	changed := strings.NewReplacer("\n"+program+" ", "\n"+r.root+"/"+program+" ", "exec "+program+" ", "exec "+r.root+"/"+program+" ").Replace(string(text))
	r.write(file, changed)
}

// A command runs as the unit's process does: with what the unit, and who changed it
// here, says of user, environment and sandbox, and nothing of what is run, when, and
// how it stops.
func TestExecRunsAsTheUnit(t *testing.T) {
	t.Parallel()
	r := withUnit(t)
	r.write(r.root+"/etc/systemd/system/plone-site-client1.service.d/here.conf", "[Unit]\nDescription=x\n[Service]\nEnvironment=A=1 \\\n  B=2\nReadWritePaths=/srv/more\nRestart=no\n")
	r.standIn("exec", "systemd-run", `printf '%s\n' "$@"; exit 7`)
	out := r.host(7, "exec", "--id", "abc", "site", "bin/client1", "run", "a b.py", "$HOME", "two\nlines")
	options, command, _ := strings.Cut(out, "\n--\n")
	if want := r.scripts + "/verbs/../with-env\n" + r.root + "/etc/plonec/site/app.env\n/bin/bash\n-c\nexec bin/client1 run a\\ b.py \\$$HOME $$'two\\nlines' \n"; command != want {
		t.Errorf("it runs\n%q, want\n%q", command, want)
	}
	for _, want := range []string{
		"--unit=plonec-exec-abc", "--wait", "--pty", "--pipe", "--collect",
		"--property=User=deploy", "--property=Group=www-data", "--property=UMask=0027", "--property=WorkingDirectory=/srv/100%/site/current",
		`--property=ReadWritePaths="/srv/100%/site/shared" "/data/blobs"`, "--property=ReadWritePaths=/srv/more",
		"--property=ProtectSystem=strict", "--property=NoNewPrivileges=yes", "--property=CapabilityBoundingSet=", "--property=PrivateTmp=yes",
		"--property=SystemCallFilter=~@privileged @resources", "--property=MemoryMax=2G", "--property=Slice=plone-site.slice", "--property=Environment=A=1    B=2",
	} {
		if !strings.Contains("\n"+options+"\n", "\n"+want+"\n") {
			t.Errorf("no %q among\n%s", want, options)
		}
	}
	for _, not := range []string{"Exec", "Type=", "Restart", "Timeout", "KillMode", "KillSignal", "Syslog", "Description=x", "Condition", "WantedBy"} {
		if strings.Contains(options, "--property="+not) || strings.Contains(options, not+"=") {
			t.Errorf("%q is among\n%s", not, options)
		}
	}
	history, err := os.ReadFile(r.root + "/var/lib/plonec/history")
	if err != nil || !strings.Contains(string(history), " exec site abc by ") || strings.Contains(string(history), "a b.py") {
		t.Errorf("%v: the history says\n%s", err, history)
	}
}

func TestExecRefuses(t *testing.T) {
	t.Parallel()
	r := withUnit(t)
	contains(t, r.host(2, "exec", "site"), "usage: host exec APP COMMAND…")
	contains(t, r.host(2, "exec", "--id", "../x", "site", "ls"), "usage: host exec --id ID")
	contains(t, r.host(1, "exec", "other", "ls"), "no app other on this host\n        there are: site")
	if err := os.Remove(r.deployTo + "/current"); err != nil {
		t.Fatal(err)
	}
	contains(t, r.host(1, "exec", "site", "ls"), "site has no release yet\n        run: host deploy site")
	r.link(r.deployTo+"/current", "releases/20260101000000")
	r.conf("app.conf", "UNITS_OF_APP=() CLIENT_UNITS=()\n")
	contains(t, r.host(1, "exec", "site", "ls"), "site has no process on this host")
}

// The journal is asked about all of the app's processes and nobody else's, and what it
// says leaves the host in lines, without secrets.
func TestLogs(t *testing.T) {
	t.Parallel()
	r := withUnit(t)
	r.write(r.root+"/etc/plonec/site/secrets.env", "TOKEN=\"hunter22\"\n")
	r.standIn("logs", "journalctl", `printf '%s\n' "$@" >'`+r.root+`/asked'
cat <<'EOF'
{"__REALTIME_TIMESTAMP":"1796030491141566","_SYSTEMD_UNIT":"plone-site-client1.service","MESSAGE":"one\ttoken hunter22\ntwo \"lines\""}
{"__REALTIME_TIMESTAMP":"1796030491141567","_SYSTEMD_UNIT":"init.scope","UNIT":"plone-site-zeo.service","MESSAGE":"Started."}
{"__REALTIME_TIMESTAMP":"1796030491141568","_SYSTEMD_UNIT":"plone-site-client1.service","MESSAGE":[27,91,109,104,117,110,116,101,114,50,50,255]}
{"__REALTIME_TIMESTAMP":"1796030491141569","_SYSTEMD_UNIT":["plone-site-client1.service","x"],"MESSAGE":null}
EOF
[[ " $* " != *" --follow "* ]] || exec sleep 60
`)
	out := r.host(0, "logs", "--porcelain", "--since", "-2h", "site")
	if want := "1796030491141566\tplone-site-client1.service\tone\ttoken ***\n1796030491141566\tplone-site-client1.service\ttwo \"lines\"\n" +
		"1796030491141567\tplone-site-zeo.service\tStarted.\n1796030491141568\tplone-site-client1.service\t\x1b[m***\ufffd\n1796030491141569\tplone-site-client1.service\t\n"; out != want {
		t.Errorf("got\n%q, want\n%q", out, want)
	}
	asked, err := os.ReadFile(r.root + "/asked")
	if err != nil {
		t.Fatal(err)
	}
	if want := "--since=-2h\n--unit=plone-site-zeo.service\n--unit=plone-site-client1.service\n--unit=plone-site-backup.service\n--unit=plone-site-pack.service\n"; !strings.HasSuffix(string(asked), want) || strings.Contains(string(asked), "--lines") {
		t.Errorf("the journal is asked\n%s", asked)
	}
	// Whoever follows has gone where the input ends.
	cmd := exec.Command("timeout", "20", r.scripts+"/host", "logs", "--porcelain", "--follow", "site")
	cmd.Env = append(os.Environ(), "PLONEC_ROOT="+r.root)
	cmd.Stdin = strings.NewReader("")
	if out, err := cmd.Output(); err != nil {
		t.Errorf("it goes on: %v\n%s", err, out)
	}
	contains(t, r.host(2, "logs", "--lines", "x", "site"), "usage: host logs --lines NUMBER APP")
	contains(t, r.host(2, "logs"), "usage: host logs ")
}

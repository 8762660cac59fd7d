package render

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plonec/plonec/schema"
)

// TestSetupOfATransaction: setup is asked for by itself, is done once, and is
// not left out where a check comes without it.
func TestSetupOfATransaction(t *testing.T) {
	t.Parallel()
	root, scripts := t.TempDir(), hostScripts(t)
	put := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	put(scripts+"/verbs/setup", "echo the setup of $2\nexit ${SETUP_FAILS-0}\n")
	stage := root + "/var/lib/plonec/stage/s"
	for _, list := range []string{"manifest", "gone", "services", "leaves"} {
		put(stage+"/"+list, "")
	}
	put(stage+"/root/etc/plonec/host.env", "HOST='app1'\n")
	transaction := func(env string, args ...string) (string, bool) {
		t.Helper()
		cmd := exec.Command("/bin/bash", append([]string{scripts + "/transaction"}, args...)...)
		cmd.Env = append(os.Environ(), "PLONEC_ROOT="+root, env)
		out, err := cmd.CombinedOutput()
		return string(out), err == nil
	}
	for i, test := range []struct {
		env, verb, host string
		ok, ran         bool
	}{
		{"SETUP_FAILS=1", "setup", "1", false, true},
		{"", "setup", "1", true, true},
		{"", "setup", "1", true, false},
		{"", "check", "1", true, false},
		{"", "check", "2", true, true},
		{"SETUP_FAILS=1", "check", "3", false, true},
	} {
		put(stage+"/facts", "setup=sum"+test.host+"\n")
		out, ok := transaction(test.env, test.verb, "s")
		if ran := strings.Contains(out, "the setup of "+stage+"/root/etc/plonec"); ok != test.ok || ran != test.ran {
			t.Errorf("%d %s: ok %v, setup ran %v\n%s", i, test.verb, ok, ran, out)
		}
	}
}

// TestDeployRefusesDrift: a file that waits for a deploy is not brought in over
// one that somebody changed by hand meanwhile.
func TestDeployRefusesDrift(t *testing.T) {
	t.Parallel()
	scripts := hostScripts(t)
	const unit, gone = "/etc/systemd/system/plone-site-client1.service", "/etc/systemd/system/plone-site-client2.service"
	for _, test := range []struct {
		name                   string
		now, waits, live, goes string // what the unit, and the one that goes, are; empty: not there
		args                   []string
		refused                string
	}{
		{"nothing waits", "by hand", "", "old", "", nil, ""},
		{"as plonec put it", "old", "new", "old", "", nil, ""},
		{"changed", "by hand", "new", "old", "", nil, unit},
		{"removed", "", "new", "old", "", nil, unit},
		{"changed to what waits", "new", "new", "old", "", nil, ""},
		{"not plonec's so far", "by hand", "new", "", "", nil, ""},
		{"changed, asked to go on", "by hand", "new", "old", "", []string{"--overwrite"}, ""},
		{"always builds", "by hand", "new", "old", "", []string{"--force"}, unit},
		{"one that goes", "old", "new", "old", "old", nil, ""},
		{"one that goes, changed", "old", "new", "old", "by hand", nil, gone},
	} {
		root := t.TempDir()
		put := func(path, text string) {
			t.Helper()
			if text == "" {
				return
			}
			if err := os.MkdirAll(filepath.Dir(root+path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(root+path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		h := processHost()
		a := h.Apps[0]
		a.Config.DeployTo = root + "/srv/www/site"
		a.Config.SCM = schema.SCM{Type: "svn", Repository: "r"} // as far as the test goes
		for _, name := range []string{"host.env", "site/app.conf", "site/build.conf", "site/app.env"} {
			put("/etc/plonec/"+name, content(t, h, "/etc/plonec/"+name))
		}
		put(unit, test.now)
		put("/var/lib/plonec/pending/site"+unit, test.waits)
		live := ""
		if test.live != "" {
			live += fmt.Sprintf("%x\trestart:x\t%s\n", sha256.Sum256([]byte(test.live)), unit)
		}
		if test.goes != "" {
			put(gone, test.goes)
			put("/var/lib/plonec/removals/site", gone+"\n")
			live += fmt.Sprintf("%x\trestart:x\t%s\n", sha256.Sum256([]byte("old")), gone)
		}
		put("/var/lib/plonec/live", live)
		for _, verb := range []string{"deploy", "restart"} {
			if verb == "restart" && len(test.args) > 0 && test.args[0] == "--force" {
				continue // means nothing there
			}
			cmd := exec.Command(scripts+"/host", append(append([]string{verb}, test.args...), "site")...)
			cmd.Env = append(os.Environ(), "PLONEC_ROOT="+root)
			out, _ := cmd.CombinedOutput()
			want := "changed by hand on this host: " + test.refused + "\n"
			if test.refused == "" {
				want = map[string]string{"deploy": "deploying from svn is not possible", "restart": "site has no release yet"}[verb]
			}
			if !strings.Contains(string(out), want) {
				t.Errorf("%s: %s: no %q in\n%s", test.name, verb, want, out)
			}
		}
	}
}

// inGeneration runs a script after those of a transaction, with a systemctl that notes
// what it is asked, and says of each unit what the test says. It gives what was noted.
func inGeneration(t *testing.T, root, script string) string {
	t.Helper()
	const before = `LIB=$1; . "$LIB/lib.sh"; . "$LIB/checkers.sh"; . "$LIB/generation.sh"
systemctl() { printf '%s\n' "$*" >>"$ROOT/log"; }
mv() { [[ $* != *.plonec-new* ]] || printf 'comes %s\n' "${@: -1}" >>"$ROOT/log"; command mv "$@"; }
rm() { [[ $* == *.plonec-new || ! -f ${@: -1} ]] || printf 'goes %s\n' "${@: -1}" >>"$ROOT/log"; command rm "$@"; }
gen=1 txn=$STATE/txn/1
mkdir -p "$txn"/{before,pending,removals} "$STATE/gen/1" "$STATE/loaded" "$ETC"
`
	cmd := exec.Command("bash", "-c", before+script, "bash", hostScripts(t))
	cmd.Env = append(os.Environ(), "PLONEC_ROOT="+root)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	log, _ := os.ReadFile(root + "/log")
	return strings.ReplaceAll(string(log), root, "")
}

// TestDaemonsThatCome: whose a daemon was before the change that is taken back, his it
// is again; those that plonec had already and its own units are left to configure.
func TestDaemonsThatCome(t *testing.T) {
	t.Parallel()
	for was, want := range map[string]string{
		"active enabled":    "restart -- memcached.service\n",
		"active disabled":   "-q disable -- memcached.service\nrestart -- memcached.service\n",
		"inactive disabled": "-q disable -- memcached.service\nstop -- memcached.service\n",
		"inactive enabled":  "stop -- memcached.service\n",
	} {
		root := t.TempDir()
		got := inGeneration(t, root, `
how_they_are() { while read -r unit; do echo "$unit `+was+`"; done; }
echo "SERVICES='haproxy nginx'" >"$ETC/host.env"
printf '%s\n' 'haproxy.service haproxy -' 'memcached.service memcached -' 'nginx.service nginx -' 'plonec-agent.service agent -' 'plone-site-client1.service client site' >"$STATE/gen/1/services"
printf 'sum\t0644\troot:root\trestart:plonec-agent.service\t-\t/etc/systemd/system/plonec-agent.service\n' >"$STATE/gen/1/manifest"
: >"$STATE/gen/1/gone"; : >"$txn/paths"; : >"$STATE/loaded/memcached"; : >"$STATE/loaded/nginx"
read_manifest "$STATE/gen/1"
daemons_that_come | how_they_are >"$txn/came"
undo_effects
[[ ! -e $STATE/loaded/memcached && -e $STATE/loaded/nginx ]] || exit 7
`)
		got = strings.ReplaceAll(got, "goes /var/lib/plonec/loaded/memcached\n", "")
		if !strings.HasSuffix(got, want) || strings.Contains(strings.TrimSuffix(got, want), "memcached") {
			t.Errorf("%s: systemctl was asked\n%s", was, got)
		}
		for _, other := range []string{"haproxy", "nginx", "client1"} {
			if strings.Contains(got, other) {
				t.Errorf("%s: %s is touched:\n%s", was, other, got)
			}
		}
	}
}

// TestUnitsOfPlonec: plonec 0.1 does the effects of files that go, and leaves standing
// that a unit ran which it has taken away.
func TestUnitsOfPlonec(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	inGeneration(t, root, `
declare -A SERVICE=([plonec-statesync.service]=- [haproxy.service]=- [plone-site-client1.service]=site)
declare -A NOW=() LIVE=() LIVE_EFFECTS=() SUM=() EFFECTS=()
REMOVE=() PATHS=() WRITE=()
wants() { WRITE+=("$1"); SUM[$1]=sum EFFECTS[$1]=$2; }
wants /etc/default/haproxy restart:haproxy.service
wants /etc/plonec/site/app.env deploy:site
wants /etc/systemd/system/plone-site-client1.service restart:plone-site-client1.service
wants /etc/systemd/system/plonec-statesync.service restart:plonec-statesync.service
wants /usr/local/lib/plonec/statesync restart:plonec-statesync.service
next_live >"$STATE/live"
read_live
[[ ${LIVE_EFFECTS[/usr/local/lib/plonec/statesync]} == restart:plonec-statesync.service ]] || exit 5
: >"$STATE/loaded/plonec-statesync"; : >"$STATE/loaded/haproxy"
forget_those_that_come
[[ ! -e $STATE/loaded/plonec-statesync && -e $STATE/loaded/haproxy ]] || exit 6
: >"$STATE/loaded/plonec-statesync"
mkdir -p "$txn/before/etc/systemd/system" && : >"$txn/before/etc/systemd/system/plonec-statesync.service"
forget_those_that_come
[[ -e $STATE/loaded/plonec-statesync ]] || exit 7
`)
	want := ""
	for _, l := range [][2]string{
		{"restart:haproxy.service", "/etc/default/haproxy"}, {"deploy:site", "/etc/plonec/site/app.env"},
		{"restart:plone-site-client1.service", "/etc/systemd/system/plone-site-client1.service"},
		{"restart=plonec-statesync.service", "/etc/systemd/system/plonec-statesync.service"},
		{"restart=plonec-statesync.service", "/usr/local/lib/plonec/statesync"},
	} {
		want += "sum\t" + l[0] + "\t" + l[1] + "\n"
	}
	if live, _ := os.ReadFile(root + "/var/lib/plonec/live"); string(live) != want {
		t.Errorf("it notes\n%swant\n%s", live, want)
	}
}

// TestTheWayBack: a script that is called meanwhile finds those that it reads: what was
// taken away comes first, what the change brought goes last.
func TestTheWayBack(t *testing.T) {
	t.Parallel()
	got := inGeneration(t, t.TempDir(), `
cd "$ROOT"
for f in a-changed m-taken z-changed; do mkdir -p "$txn/before$ROOT"; echo old >"$txn/before$ROOT/$f"; done
echo new | tee a-changed b-brought z-changed >/dev/null
printf '%s\n' "$ROOT"/{a-changed,b-brought,m-taken,z-changed} >"$txn/paths"
restore_files
[[ $(cat a-changed m-taken z-changed) == $'old\nold\nold' && ! -e b-brought ]]
`)
	if want := "comes /m-taken\ncomes /a-changed\ncomes /z-changed\ngoes /b-brought\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

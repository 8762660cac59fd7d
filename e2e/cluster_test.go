package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/plonec/plonec/e2e/meter"
)

// Values that no output may show.
const (
	statsPassword = "sentinel-of-the-statistics"
	siteToken     = "sentinel-of-the-site"
	pgPassword    = "sentinel-of-the-database"
)

var (
	run  = os.Getenv("E2E_RUN") // of testdata/hosts
	top  = os.Getenv("E2E_TOP") // the repository
	work = os.Getenv("E2E_WORK")
)

// addresses of all hosts of the tests; git serves the buildout.
var addresses = map[string]string{
	"git": "10.77.0.9", "lb1": "10.77.0.11", "app1": "10.77.0.21", "app2": "10.77.0.22", "app3": "10.77.0.23", "db1": "10.77.0.31", "pg": "10.77.0.41",
	"db2": "10.77.0.32", // another one of db1's
}

// A cluster is a stack on hosts, with the repositories that it comes from.
type cluster struct {
	t        *testing.T
	name     string
	flavour  string
	dir      string // the stack's git repository
	buildout string // the buildout's
	stack    map[string]any
	hosts    []string
	image    map[string]string // that a host begins as, if not bare
	program  string            // plonec, where it is not the one under test; see craft
	first    beginning

	mu  sync.Mutex
	log bytes.Buffer // all that plonec and the hosts' scripts said
}

// A beginning is what a cluster is made from.
type beginning struct {
	stack   []byte
	commit  string   // of the buildout
	options []string // of the deploy to bare hosts
}

// sh runs a program of this machine and gives what it prints.
func (c *cluster) sh(dir, name string, args ...string) string {
	c.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// lab runs testdata/hosts.
func (c *cluster) lab(args ...string) string {
	c.t.Helper()
	return c.sh(top, top+"/testdata/hosts", args...)
}

// exec runs a shell script on a host as root, by the back door.
func (c *cluster) exec(host, script string) string {
	c.t.Helper()
	out, err := c.try(host, script)
	if err != nil {
		c.t.Fatalf("%s: %s: %v\n%s", host, script, err, out)
	}
	return out
}

func (c *cluster) try(host, script string) (string, error) {
	cmd := exec.Command(top+"/testdata/hosts", "exec", run, host, "bash", "-c", script)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return "", err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			return strings.TrimSpace(out.String()), err
		case <-time.After(time.Second):
			// A host that goes down stops all of its processes before it kills them, and
			// nsenter stops itself with its child: for ever, if nobody wakes it.
			cmd.Process.Signal(syscall.SIGCONT)
		}
	}
}

// start boots hosts, from their images where they have some.
func (c *cluster) start(hosts ...string) {
	c.t.Helper()
	var wg sync.WaitGroup
	errs := make([]error, len(hosts))
	for i, h := range hosts {
		wg.Go(func() {
			args := []string{"start", run, h, addresses[h]}
			if c.image[h] != "" {
				args = append(args, "--image", c.image[h])
			} else if c.flavour != "" {
				args = append(args, "--flavour", c.flavour)
			}
			if out, err := exec.Command(top+"/testdata/hosts", args...).CombinedOutput(); err != nil {
				errs[i] = fmt.Errorf("%s: %v\n%s", h, err, out)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		c.t.Fatal(err)
	}
}

// A result is what a command ended with.
type result struct {
	status int
	out    string
}

// command makes a plonec command, in the stack's repository.
func (c *cluster) command(args ...string) *exec.Cmd {
	if len(args) > 0 && args[0] != "build" && args[0] != "diff" {
		at := len(args) // what stands behind -- is another command's
		if i := slices.Index(args, "--"); i >= 0 {
			at = i
		}
		args = slices.Insert(slices.Clone(args), at, "--ssh-config", c.runDir()+"/ssh_config")
	}
	cmd := exec.Command(cmp.Or(c.program, work+"/plonec"), args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "STATS_PASSWORD="+statsPassword, "SITE_TOKEN="+siteToken, "PG_PASSWORD="+pgPassword, "E2E_CRAFTED="+work+"/crafted.json")
	return cmd
}

func (c *cluster) runDir() string {
	cache := os.Getenv("PLONEC_TEST_CACHE")
	if cache == "" {
		cache = top + "/.cache"
	}
	return cache + "/hosts/run/" + run
}

// plonec runs a command and gives its exit status and all that it said.
func (c *cluster) plonec(args ...string) result {
	cmd := c.command(args...)
	out, err := cmd.CombinedOutput()
	c.note(fmt.Sprintf("$ plonec %s\n%s", strings.Join(args, " "), out))
	status := cmd.ProcessState.ExitCode()
	if err != nil && status < 0 {
		c.t.Errorf("plonec %v: %v", args, err)
	}
	return result{status, string(out)}
}

// must runs a command that has to end with a status.
func (c *cluster) must(status int, args ...string) string {
	c.t.Helper()
	r := c.plonec(args...)
	if r.status != status {
		c.t.Fatalf("plonec %s ended with %d, want %d\n%s", strings.Join(args, " "), r.status, status, r.out)
	}
	return r.out
}

func (c *cluster) note(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log.WriteString(text + "\n")
}

// watch runs a command, hands each of its events, such as "started stage", of any host,
// to a function, and gives the exit status.
func (c *cluster) watch(at func(event string, command *os.Process), args ...string) (status int) {
	c.t.Helper()
	cmd := c.command(append(args, "--format", "json")...)
	out, err := cmd.StdoutPipe()
	if err == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		err = cmd.Start()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	dec := json.NewDecoder(out)
	for {
		var e struct{ Event, Step, Host string }
		if dec.Decode(&e) != nil {
			break
		}
		at(e.Event+" "+e.Step, cmd.Process)
	}
	cmd.Wait()
	return cmd.ProcessState.ExitCode()
}

// signalAt runs a command and sends it a signal at an event. It gives the exit status, and
// whether the event came.
func (c *cluster) signalAt(signal os.Signal, event string, args ...string) (status int, came bool) {
	c.t.Helper()
	status = c.watch(func(e string, command *os.Process) {
		if !came && e == event {
			came = true
			command.Signal(signal)
		}
	}, args...)
	return status, came
}

// killUnconfirmed applies to a host and ends the apply by SIGKILL when the change is in
// its place. The host takes no login from the start of that on, until it is rebooted, so
// that the change is not confirmed however late the signal comes.
func (c *cluster) killUnconfirmed(host, within string) {
	c.t.Helper()
	came := false
	c.watch(func(e string, command *os.Process) {
		switch e {
		case "started activate":
			c.exec(host, "systemctl stop ssh.service")
		case "finished activate":
			came = true
			command.Kill()
		}
	}, "apply", "--confirm-within", within)
	if !came {
		c.t.Error("it did not activate")
	}
}

// killAt ends a command by SIGKILL at an event, and tells whether it came.
func (c *cluster) killAt(event string, args ...string) bool {
	c.t.Helper()
	_, came := c.signalAt(os.Kill, event, args...)
	return came
}

// change edits the stack, builds the tree and commits both.
func (c *cluster) change(edit func(stack map[string]any)) {
	c.t.Helper()
	c.program = ""
	if edit != nil {
		edit(c.stack)
	}
	data, err := json.MarshalIndent(c.stack, "", " ")
	if err == nil {
		err = os.WriteFile(c.dir+"/stack.json", append(data, '\n'), 0o644)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.must(0, "build", "stack.json")
	c.commit(c.dir, "change")
}

func (c *cluster) commit(dir, message string) string {
	c.t.Helper()
	c.sh(dir, "git", "add", "-A")
	c.sh(dir, "git", "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "--allow-empty", "-m", message)
	c.sh(dir, "git", "update-ref", "refs/remotes/origin/main", "HEAD") // as if it were pushed: hosts are where that has them
	return c.sh(dir, "git", "rev-parse", "HEAD")
}

// push commits to the buildout's repository and pushes it.
func (c *cluster) push(edit func(dir string)) string {
	c.t.Helper()
	if edit != nil {
		edit(c.buildout)
	}
	commit := c.commit(c.buildout, "change")
	c.upload(c.buildout, "buildout")
	return commit
}

// upload pushes a repository to one on git, which it makes.
func (c *cluster) upload(dir, name string) {
	c.t.Helper()
	c.exec("git", "cd /srv && [ -e "+name+".git ] || install -d -o admin -g admin "+name+".git && runuser -u admin -- git init -q --bare -b main "+name+".git")
	cmd := exec.Command("git", "push", "-q", "-f", "ssh://admin@git/srv/"+name+".git", "HEAD:main")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_SSH_COMMAND=ssh -F "+c.runDir()+"/ssh_config")
	if out, err := cmd.CombinedOutput(); err != nil {
		c.t.Fatalf("git push: %v\n%s", err, out)
	}
}

// newCluster makes the two repositories and boots bare hosts.
// The buildout is examples/buildout with the test's own package; over its
// base.cfg may be zope or relstorage.
func newCluster(t *testing.T, flavour, over string, stack map[string]any, hosts ...string) *cluster {
	t.Helper()
	name := clusterOf(t.Name())
	c := &cluster{t: t, name: name, flavour: flavour, dir: filepath.Join(work, name), buildout: filepath.Join(work, name+"-buildout"), stack: stack, hosts: hosts}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	c.sh(c.dir, "git", "init", "-q", "-b", "main")
	if err := os.WriteFile(c.dir+"/.gitignore", []byte("deploy_key\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c.sh(c.dir, "cp", c.runDir()+"/key", "deploy_key")
	c.sh(work, "cp", "-r", top+"/examples/buildout", c.buildout)
	c.sh(c.buildout, "git", "init", "-q", "-b", "main")
	c.sh(work, "mkdir", "-p", c.buildout+"/src")
	c.sh(work, "cp", "-r", top+"/testdata/site", c.buildout+"/src/plonec_testsite")
	if over != "" {
		c.sh(c.buildout, "cp", "requirements-"+over+".txt", "requirements.txt")
		over = "\n    " + over + ".cfg"
	}
	appendTo(t, c.buildout+"/requirements.txt", "./src/plonec_testsite\n")
	appendTo(t, c.buildout+"/cfg/e2e.cfg", "[buildout]\nextends =\n    base.cfg"+over+"\neggs += plonec_testsite\n\n[client1]\nzcml = plonec_testsite\n")
	if own := top + "/testdata/hosts.d/" + flavour + "-constraints.txt"; exists(own) {
		c.sh(work, "cp", own, c.buildout+"/constraints.txt")
	}
	t.Cleanup(func() {
		for _, h := range append([]string{"git", "pg"}, hosts...) {
			exec.Command(top+"/testdata/hosts", "forget", run, h).Run()
		}
	})
	c.start(append(hosts, "git")...)
	if _, err := c.try("git", "command -v git"); err != nil {
		c.exec("git", "apt-get install -y -q --no-install-recommends git")
	}
	var err error
	if c.first.stack, err = json.Marshal(c.stack); err != nil {
		t.Fatal(err)
	}
	c.first.commit = c.push(nil)
	c.change(nil)
	return c
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func appendTo(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// site makes a Plone site, /Plone; a folder of that name where there is no Plone.
func (c *cluster) site(host string) {
	c.t.Helper()
	c.exec(host, `cat >/tmp/site.py <<'END'
import transaction
from AccessControl.SecurityManagement import newSecurityManager
from AccessControl.SpecialUsers import system
from Testing.makerequest import makerequest
app = makerequest(app)
newSecurityManager(None, system.__of__(app.acl_users))
try:
    from Products.CMFPlone.factory import addPloneSite
except ImportError:
    app.manage_addFolder('Plone')
else:
    addPloneSite(app, 'Plone', title='Front page of the test', setup_content=False)
transaction.commit()
END
/usr/local/lib/plonec/as-user --env /etc/plonec/site/app.env --env /etc/plonec/site/secrets.env --dir /srv/www/site/current -- \
    deploy www-data /home/deploy bin/admin run /tmp/site.py`)
}

// serving waits until every client is up in the balancer, and the balancer in
// Varnish.
func (c *cluster) serving(limit time.Duration) {
	c.t.Helper()
	c.until(limit, "the balancer sees every client", func() bool {
		out, err := c.try("lb1", "/usr/local/lib/plonec/host backends")
		if _, down := c.try("lb1", "curl -fs -o /dev/null -H 'Host: www.example.com' http://"+addresses["lb1"]+"/@@e2e-page"); down != nil {
			return false
		}
		return err == nil && out != "" && !strings.Contains(strings.ReplaceAll(out, " UP\n", "\n")+"\n", " DOWN") && strings.Count(out, "UP") == strings.Count(out+"\n", "\n")
	})
}

// until waits for something, for a time.
func (c *cluster) until(limit time.Duration, what string, so func() bool) {
	c.t.Helper()
	for end := time.Now().Add(limit); !so(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatalf("not within %s: %s", limit, what)
		}
	}
}

// load starts the load on the site.
func (c *cluster) load(mix []meter.Kind) *meter.Meter {
	c.t.Helper()
	m, err := meter.Start(context.Background(), meter.Load{URL: "http://" + addresses["lb1"] + "/", Host: "www.example.com", Max: 20 * time.Minute, Mix: mix})
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

// hostStatus is what "plonec status" says of one host.
type hostStatus struct {
	Host, Generation string
	Current          bool
	Drift            []string
	Pending          []struct{ Text, Command string }
	Apps             []struct {
		App, Release, State, Commit, Packages string
		Units                                 []struct{ Name, State, Release, Pending string }
	}
}

func (c *cluster) status() []hostStatus {
	c.t.Helper()
	cmd := c.command("status", "--format", "json")
	out, err := cmd.Output()
	var all struct{ Hosts []hostStatus }
	if err == nil {
		err = json.Unmarshal(out, &all)
	}
	if err != nil {
		c.t.Fatalf("plonec status: %v\n%s", err, out)
	}
	return all.Hosts
}

// sound checks what has to hold after every scenario: one good release on
// every host of an app, processes that run what the record says, nothing that
// waits but what is named, no lock, nothing half done, no secret anywhere.
func (c *cluster) sound(waits ...string) {
	c.t.Helper()
	releases := map[string]map[string]bool{}
	for _, s := range c.status() {
		for _, p := range s.Pending {
			if !slices.ContainsFunc(waits, func(w string) bool { return strings.Contains(p.Text, w) }) {
				c.t.Errorf("%s: pending: %s", s.Host, p.Text)
			}
		}
		if len(s.Drift) > 0 {
			c.t.Errorf("%s: drift: %v", s.Host, s.Drift)
		}
		for _, a := range s.Apps {
			if a.State != "good" {
				c.t.Errorf("%s: release %s of %s is %s", s.Host, a.Release, a.App, a.State)
			}
			if releases[a.App] == nil {
				releases[a.App] = map[string]bool{}
			}
			releases[a.App][a.Release] = true
			for _, u := range a.Units {
				if u.State != "active" {
					c.t.Errorf("%s: %s is %s", s.Host, u.Name, u.State)
				}
				if u.Pending != "" && len(waits) == 0 {
					c.t.Errorf("%s: %s %s", s.Host, u.Name, u.Pending)
				}
			}
		}
	}
	for app, list := range releases {
		if len(list) != 1 {
			c.t.Errorf("%s is on %d releases: %v", app, len(list), list)
		}
	}
	for _, h := range c.hosts {
		out := c.exec(h, `
			cd /var/lib/plonec
			flock -n /run/plonec/lock/apply true || echo "the apply lock is held: $(cat /run/plonec/lock/apply)"
			flock -n /run/plonec/lock/work true || echo "the work lock is held: $(cat /run/plonec/lock/work)"
			for f in unconfirmed stage/* txn/*/paths; do if [ -e "$f" ]; then echo "left over: $f"; fi; done
			find /etc /usr/local/lib/plonec -name '*.plonec-*'
			ls -d */switch */undo 2>/dev/null
			# After a boot it runs until it has looked once.
			for i in {1..100}; do systemctl is-active -q plonec-guard.timer || break; sleep 0.2; done
			systemctl is-active plonec-guard.timer | grep -v inactive
			true`)
		if out != "" {
			c.t.Errorf("%s: %s", h, out)
		}
	}
	c.secrets()
}

// secrets looks for the sentinels wherever something is said or kept; and in
// the one place where one has to be, so that the search is known to find it.
func (c *cluster) secrets() {
	c.t.Helper()
	values := []string{statsPassword, siteToken, pgPassword}
	list := strings.Join(values, "\n")
	c.mu.Lock()
	said := c.log.String()
	c.mu.Unlock()
	if slices.ContainsFunc(values, func(s string) bool { return strings.Contains(said, s) }) {
		c.t.Errorf("plonec's output shows a secret")
	}
	if out, err := exec.Command("grep", "-rlF", "-e", list, c.dir+"/build").Output(); err == nil {
		c.t.Errorf("the tree has a secret: %s", out)
	}
	for _, h := range c.hosts {
		if out := c.exec(h, `grep -rlF -e '`+list+`' /run/plonec /var/log/plonec /var/lib/plonec/history 2>/dev/null; journalctl -q --no-pager | grep -cF -e '`+list+`' | grep -v '^0$'; true`); out != "" {
			c.t.Errorf("%s shows a secret: %s", h, out)
		}
	}
	if at(c.stack, "instances")["db1"] != nil {
		if out := c.exec("app1", `grep -rlF -- '`+siteToken+`' /etc/plonec; true`); out != "/etc/plonec/site/secrets.env" {
			c.t.Errorf("the search for secrets finds %q, so it proves nothing", out)
		}
	}
}

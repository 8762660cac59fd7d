package render

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/topology"
)

// zeoHost has a ZEO server, which a test says where to find.
func zeoHost(t *testing.T) *releasesHost {
	t.Helper()
	r := newReleasesHost(t, func(a *topology.App, deployTo string) {
		a.Zeo = &topology.ZeoServer{App: a, Unit: "plone-site-zeo.service", FilestorageDir: strings.TrimSuffix(deployTo, "/srv/www/site") + "/data"}
		a.Storage.Zeo = a.Zeo
	})
	r.conf("build.conf", "STORAGE='' PROCESSES=()\n") // its releases hold nothing that a server reads
	r.config = r.bash("config_sum")
	return r
}

// A database begins where somebody says so, and nowhere else.
func TestZeoDatabaseBegins(t *testing.T) {
	t.Parallel()
	r := zeoHost(t)
	r.conf("app.conf", "UNITS_OF_APP=() ZEO_UNIT=''\n") // its processes need systemd
	r.release("20260101000000", "built", 1)
	data := r.root + "/data"
	deploy := []string{"deploy", "--release", "20260101000000", "--commit", r.commit}
	out := r.host(1, append(deploy, "site")...)
	contains(t, out, "plonec: there is no Data.fs in "+data+"\n        is its disk mounted? for a site that is to begin empty: host deploy --new-database site\n")
	out = r.host(0, append(deploy, "--new-database", "site")...)
	contains(t, out, "plonec: made a new database: "+data+"/Data.fs\n")
	if info, err := os.Stat(data + "/Data.fs"); err != nil || info.Mode() != 0o640 || info.Size() != 0 {
		t.Errorf("the new database: %v %v", info, err)
	}
	out = r.host(0, append(deploy, "--new-database", "site")...)
	contains(t, out, "plonec: "+data+"/Data.fs already exists: --new-database does nothing\n")
	if strings.Contains(out, "made") {
		t.Error(out)
	}
	if out := r.host(0, append(deploy, "site")...); strings.Contains(out, "Data.fs") {
		t.Error(out)
	}
}

// A ZEO server is stopped last, by somebody who knows whom it serves, and runs on
// while its own parts are the same, whatever the app's environment.
func TestZeoProcess(t *testing.T) {
	t.Parallel()
	r := zeoHost(t)
	const zeo = "plone-site-zeo.service"
	r.conf("app.conf", "UNITS_OF_APP=("+zeo+" a.service)\n")
	for _, name := range []string{"app.conf", "build.conf"} {
		text, err := os.ReadFile(r.root + "/etc/plonec/site/" + name)
		if err != nil {
			t.Fatal(err)
		}
		r.write(r.root+"/etc/plonec/other/"+name, strings.Replace(string(text), "APP='site'", "APP='other'", 1)+"ZEO_UNIT='' ZEO_ADDRESS=127.0.0.1:8001\n")
	}
	r.release("20260101000000", "good", 2)
	r.release("20260102000000", "good", 1)
	r.link(r.deployTo+"/current", "releases/20260102000000")
	pid := r.inRelease("20260101000000")
	setup := units(pid) + fmt.Sprintf(`unit=%s; noted $unit
ss() { printf '0 0 %%s users:(("runzeo",pid=%d,fd=5))\n' '10.0.0.1:8001 10.0.0.1:5555' '10.0.0.1:8001 10.0.0.3:5555' '[fd00::1]:8001 [fd00::2]:5555' '10.0.0.1:8001 10.0.0.3:5556'; echo '0 0 10.0.0.1:22 10.0.0.9:5555 users:(("sshd",pid=1,fd=5))'; }
APP_NAMES=(site other); `, zeo, pid)
	const elsewhere = "10.0.0.3, [fd00::2]"
	for _, test := range []struct{ script, want string }{
		{`CHOSEN=(site); ask_services users`, "the ZEO server of site serves " + elsewhere + ", other on this host, which then have no database"},
		{`CHOSEN=(site other); ask_services users`, "the ZEO server of site serves " + elsewhere + ", which then have no database"},
		{`CHOSEN=(site); ss() { :; }; ask_services users`, "the ZEO server of site serves other on this host, which then have no database"},
		{`CHOSEN=(site other); ss() { :; }; ask_services users`, ""},
		{`CHOSEN=(other); down=1; ask_services users`, ""},
		{`export -f ss systemctl; "$LIB/host" stop site </dev/null 2>&1 || echo "$?"`,
			"plonec: the ZEO server of site serves " + elsewhere + ", which then have no database\nplonec: without a terminal this takes --yes\n        stop site all the same?\n1"},
		{`export -f ss systemctl; out=$("$LIB/host" undeploy site </dev/null 2>&1) || head -n 1 <<<"$out"`,
			"plonec: the ZEO server of site serves " + elsewhere + ", which then have no database"},
		{`stop_app`, "stop -- a.service\nstop -- " + zeo},
		{`down=1; bring_up $unit || echo "$?"`, "restart -- " + zeo + "\nplonec: " + zeo + " does not start: there is no Data.fs in " + r.root + "/data; is its disk mounted?\n1"},
		{`install -d "$FILESTORAGE_DIR"; : >"$FILESTORAGE_DIR/Data.fs"; down=1; bring_up $unit || echo "$?"`, "restart -- " + zeo + "\nplonec: " + zeo + " did not come up; its last lines:\n1"},
		{`stale $unit`, "runs release 20260101000000"},
		// What used it before does not go on with what is new; where it did not run, nobody did.
		{`bring_up() { echo "up $1"; }; stale() { [[ $1 != *zeo* ]] || echo old; }; roll '' a.service $unit`,
			"plonec: " + zeo + " old: restarting it\nup " + zeo + "\nplonec: a.service is to be restarted: restarting it\nup a.service"},
		{`bring_up() { echo "up $1"; }; stale() { [[ $1 != *zeo* ]] || echo old; }; down=1; roll '' a.service $unit`,
			"plonec: " + zeo + " old: restarting it\nup " + zeo},
		// plonec hears of each that starts or restarts.
		{`tell() { echo "told $*"; }; systemctl() { [[ $1 != restart ]] || echo "$*"; }; bring_up $unit`, "told restarting " + zeo + "\nrestart -- " + zeo + "\nplonec: " + zeo + " is up after 0 s\ntold did " + zeo + " is up after 0 s"},
		{`record_set 20260101000000 zeo=1; record_set 20260102000000 zeo=1; stale $unit`, ""},
		{`record_set 20260102000000 zeo=2; stale $unit`, "runs release 20260101000000"},
	} {
		if got := r.bash(setup + test.script); got != test.want {
			t.Errorf("%s\ngave %q, want %q", test.script, got, test.want)
		}
	}
}

// The unit waits until the server takes connections, or its process has ended.
func TestZeoUp(t *testing.T) {
	t.Parallel()
	r := zeoHost(t)
	r.release("20260101000000", "good", 1)
	pid := r.inRelease("20260101000000")
	up := func(pid int, address string) string {
		host, port, _ := strings.Cut(address, ":")
		cmd := exec.Command(r.scripts+"/unit", "zeo-up", "site", "plone-site-zeo", host, port, "1")
		cmd.Env = append(os.Environ(), "PLONEC_ROOT="+r.root, fmt.Sprintf("MAINPID=%d", pid))
		out, err := cmd.CombinedOutput()
		if err != nil {
			return string(out)
		}
		noted, err := os.ReadFile(r.root + "/run/plonec/started/plone-site-zeo.service")
		if err != nil {
			t.Fatal(err)
		}
		return string(noted)
	}
	free := fmt.Sprintf("127.0.0.1:%d", loopbackPort(t))
	contains(t, up(pid, free), "plone-site-zeo does not answer in time")
	l := listen(t, free)
	defer l.Close()
	for _, address := range []string{free, "127.0.0.1:0"} {
		contains(t, up(pid, address), "release=20260101000000\nunit=")
	}
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{free, "127.0.0.1:0"} {
		contains(t, up(ended.Process.Pid, address), "the process of plone-site-zeo ended while it started")
	}
}

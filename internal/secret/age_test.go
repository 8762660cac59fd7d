package secret

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/plonec/plonec/internal/tree"
)

// encrypt makes an age file.
func encrypt(t testing.TB, text string, to age.Recipient, armored bool) string {
	t.Helper()
	var b bytes.Buffer
	var out io.Writer = &b
	var a io.WriteCloser
	if armored {
		a = armor.NewWriter(&b)
		out = a
	}
	w, err := age.Encrypt(out, to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if armored {
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// newIdentity makes an identity as age-keygen writes it.
func newIdentity(t testing.TB) (file string, to age.Recipient) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return "# created: now\n# public key: " + id.Recipient().String() + "\n" + id.String() + "\n", id.Recipient()
}

// identity gives the resolver an identity beside its variables.
func identity(t testing.TB, r *Resolver) age.Recipient {
	t.Helper()
	file, to := newIdentity(t)
	path := write(t, filepath.Join(t.TempDir(), "identity"), file, 0o600)
	getenv := r.Getenv
	r.Getenv = func(name string) (string, bool) {
		if name == "PLONEC_AGE_IDENTITY" {
			return path, true
		}
		return getenv(name)
	}
	return to
}

func TestAge(t *testing.T) {
	r := &Resolver{Dir: t.TempDir(), Getenv: environment()}
	to := identity(t, r)
	lines := "# passwords\nDB_PASSWORD=\"a \\\"b\\\"\"\n\nMAIL = plain # and more=less\n"
	lines = strings.Replace(lines, " # and more=less", "", 1)
	object := `{"DB_PASSWORD": "a \"b\"", "MAIL": "plain", "key": "line\nline\n"}`
	for name, text := range map[string]string{
		"lines.age":         encrypt(t, lines, to, false),
		"lines.armored.age": encrypt(t, lines, to, true),
		"crlf.age":          encrypt(t, strings.ReplaceAll(lines, "\n", "\r\n"), to, false),
		"json.age":          encrypt(t, object, to, false),
		"json.armored.age":  "\n" + strings.ReplaceAll(encrypt(t, object, to, true), "\n", "\r\n"),
	} {
		write(t, filepath.Join(r.Dir, "secrets", name), text, 0o644)
		for key, want := range map[string]string{"DB_PASSWORD": `a "b"`, "MAIL": "plain"} {
			if got := resolved(t, r, "age:secrets/"+name+"#"+key); got != want {
				t.Errorf("%s#%s: %q", name, key, got)
			}
		}
		refused(t, r, "age:secrets/"+name+"#OTHER", "there is no OTHER in "+filepath.Join(r.Dir, "secrets", name))
	}
	if got := resolved(t, r, "age:secrets/json.age#key"); got != "line\nline\n" {
		t.Errorf("%q", got)
	}

	// Decrypted once: what changes later is not seen.
	write(t, filepath.Join(r.Dir, "once.age"), encrypt(t, "A=first\nB=first", to, false), 0o600)
	resolved(t, r, "age:once.age#A")
	write(t, filepath.Join(r.Dir, "once.age"), encrypt(t, "A=second\nB=second", to, false), 0o600)
	if got := resolved(t, r, "age:once.age#B"); got != "first" {
		t.Error(got)
	}
	// An encrypted file may be read by anybody.
	_, warnings, err := r.Files(context.Background(), []tree.Secret{raw("a", "age:secrets/lines.age#MAIL")}, nil)
	if err != nil || len(warnings) > 0 {
		t.Error(warnings, err)
	}
}

func TestAgeHybridIdentity(t *testing.T) {
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := write(t, filepath.Join(dir, "id"), id.String()+"\n", 0o600)
	r := &Resolver{Dir: dir, Getenv: environment("PLONEC_AGE_IDENTITY=" + path)}
	write(t, filepath.Join(dir, "x.age"), encrypt(t, "A=after quantum", id.Recipient(), false), 0o600)
	if got := resolved(t, r, "age:x.age#A"); got != "after quantum" {
		t.Error(got)
	}
}

func TestAgeRefusals(t *testing.T) {
	r := &Resolver{Dir: t.TempDir(), Getenv: environment()}
	to := identity(t, r)
	_, stranger := newIdentity(t)
	passphrase, err := age.NewScryptRecipient(sentinel)
	if err != nil {
		t.Fatal(err)
	}
	passphrase.SetWorkFactor(10)
	good := encrypt(t, "A="+sentinel, to, false)
	armored := encrypt(t, "A="+sentinel, to, true)
	for name, c := range map[string]struct{ text, want string }{
		"passphrase":   {encrypt(t, "A=1", passphrase, false), "protected by a passphrase"},
		"passphrase.a": {encrypt(t, "A=1", passphrase, true), "protected by a passphrase"},
		"stranger":     {encrypt(t, "A=1", stranger, false), "not encrypted for the identity in"},
		"plain":        {"A=" + sentinel + "\n", "no age file"},
		"plain.json":   {`{"A": "` + sentinel + `"}`, "no age file"},
		"empty":        {"", "no age file"},
		"cut":          {good[:len(good)-3], "damaged"},
		"cut.header":   {good[:60], "damaged"},
		"changed":      {good[:len(good)-1] + string(good[len(good)-1]^1), "damaged"},
		"armored.cut":  {armored[:len(armored)-40], "no age file"},
		"lines":        {encrypt(t, "A=1\n"+sentinel+"\n", to, false), "line 2 is no NAME=VALUE"},
		"json":         {encrypt(t, `{"A": "`+sentinel+`",`, to, false), "no JSON object"},
		"number":       {encrypt(t, `{"A": 4711.25}`, to, false), `the value of "A" is no text`},
		"value":        {encrypt(t, "A=\n", to, false), "is empty"},
	} {
		write(t, filepath.Join(r.Dir, name), c.text, 0o600)
		p := refused(t, r, "age:"+name+"#A", c.want, name)
		if strings.Contains(p.String(), "4711.25") {
			t.Errorf("%s: the value is shown: %s", name, p)
		}
	}
	refused(t, r, "age:nowhere#A", filepath.Join(r.Dir, "nowhere"), "is not there")
}

func TestAgeIdentities(t *testing.T) {
	own, toOwn := newIdentity(t)
	other, toOther := newIdentity(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "own.age"), encrypt(t, "A=own", toOwn, false), 0o600)
	write(t, filepath.Join(dir, "other.age"), encrypt(t, "A=other", toOther, false), 0o600)
	ownPath := write(t, filepath.Join(dir, "own.txt"), own, 0o600)
	otherPath := write(t, filepath.Join(dir, "other.txt"), other, 0o600)
	both := write(t, filepath.Join(dir, "both.txt"), own+"\n"+other, 0o600)
	home := filepath.Join(dir, "home")
	write(t, filepath.Join(home, ".config/plonec/age.txt"), own, 0o600)
	write(t, filepath.Join(home, ".config/sops/age/keys.txt"), other, 0o600)
	sops := filepath.Join(dir, "sops")
	write(t, filepath.Join(sops, "sops/age/keys.txt"), other, 0o600)

	for name, c := range map[string]struct {
		env  []string
		want string // which one is read
	}{
		"plonec's variable":  {[]string{"PLONEC_AGE_IDENTITY=" + ownPath, "SOPS_AGE_KEY_FILE=" + otherPath, "HOME=/nowhere"}, "own"},
		"sops' variable":     {[]string{"PLONEC_AGE_IDENTITY=", "SOPS_AGE_KEY_FILE=" + otherPath, "HOME=" + home}, "other"},
		"plonec's file":      {[]string{"HOME=" + home}, "own"},
		"sops' file":         {[]string{"HOME=" + home, "XDG_CONFIG_HOME=" + sops}, "other"},
		"XDG, not absolute":  {[]string{"HOME=" + home, "XDG_CONFIG_HOME=x"}, "own"},
		"several identities": {[]string{"PLONEC_AGE_IDENTITY=" + both}, "own other"},
	} {
		r := &Resolver{Dir: dir, Getenv: environment(c.env...)}
		for _, who := range []string{"own", "other"} {
			source := "age:" + who + ".age#A"
			if !strings.Contains(c.want, who) {
				refused(t, r, source, "not encrypted for the identity in")
			} else if got := resolved(t, r, source); got != who {
				t.Errorf("%s: %q", name, got)
			}
		}
	}

	scrypt, err := age.NewScryptRecipient("x")
	if err != nil {
		t.Fatal(err)
	}
	scrypt.SetWorkFactor(10)
	for name, c := range map[string]struct{ text, want string }{
		"encrypted": {encrypt(t, own, scrypt, true), "is itself encrypted"},
		"ssh":       {"-----BEGIN OPENSSH PRIVATE KEY-----\n" + sentinel + "\n-----END OPENSSH PRIVATE KEY-----\n", "is an ssh key"},
		"plugin":    {"AGE-PLUGIN-YUBIKEY-" + sentinel + "\n", "another kind of line"},
		"broken":    {"AGE-SECRET-KEY-1" + sentinel + "\n", "another kind of line"},
		"none":      {"# nothing\n", "has no line AGE-SECRET-KEY-1"},
	} {
		path := write(t, filepath.Join(dir, name), c.text, 0o600)
		refused(t, &Resolver{Dir: dir, Getenv: environment("PLONEC_AGE_IDENTITY=" + path)}, "age:own.age#A", path, c.want)
	}
	refused(t, &Resolver{Dir: dir, Getenv: environment("PLONEC_AGE_IDENTITY="+dir+"/no", "HOME="+home)}, "age:own.age#A", dir+"/no is not there")
	refused(t, &Resolver{Dir: dir, Getenv: environment("HOME=" + dir)}, "age:own.age#A", "no age identity in "+dir+"/.config/plonec/age.txt", "age-keygen")

	// The identity is what has to be kept.
	if err := os.Chmod(ownPath, 0o640); err != nil {
		t.Fatal(err)
	}
	r := &Resolver{Dir: dir, Getenv: environment("PLONEC_AGE_IDENTITY=" + ownPath)}
	_, warnings, err := r.Files(context.Background(), []tree.Secret{raw("a", "age:own.age#A")}, nil)
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0].String(), ownPath+" is open to others") {
		t.Error(warnings, err)
	}
}

func TestNames(t *testing.T) {
	for text, want := range map[string]string{
		"A=b":               "b",
		"\ufeffA=b":         "b",
		"export A=b":        "b",
		"A = b c ":          "b c",
		"A=a=b==":           "a=b==",
		"A=it's":            "it's",
		"A=a#b":             "a#b",
		`A=a\nb$c`:          `a\nb$c`,
		"A='a \"b\\n $c'":   `a "b\n $c`,
		"A='a#b' # more":    "a#b",
		`A="a # b"`:         "a # b",
		`A="a\nb\"c\\d\$e"`: "a\nb\"c\\d$e",
		"A=\"\\`\"":         "`",
		`A=""`:              "",
		"A=''":              "",
		"A=":                "",
		"# A=x\n\n A=b\n":   "b",
		"B.c-d=x\nA=b\r\n":  "b",
		` {"A": "b"}`:       "b",
		`{"A": "\u00e9"}`:   "é",
	} {
		values, err := names(text)
		if got := values["A"]; err != nil || got.text == nil || got.plain() != want {
			t.Errorf("%q: %q, %v", text, got.plain(), err)
		}
	}
	for text, want := range map[string]string{
		"S3NT1NEL":             "line 1 is no",
		"\n\n=S3NT1NEL":        "line 3 is no",
		"1A=S3NT1NEL":          "line 1 is no",
		"A S3NT1NEL=x":         "line 1 is no",
		`A="S3NT1NEL`:          "line 1: after \"",
		"A=\"S3NT1NEL\nmore\"": "line 1: after \"",
		`A="S3NT1NEL" x`:       "line 1: after \"",
		`A="S3NT1NEL\t"`:       "line 1: after \"",
		`A="S3NT1NEL"x"`:       "line 1: after \"",
		"A='S3NT1NEL":          "line 1: after '",
		"A='S3NT'1NEL'":        "line 1: after '",
		"A=S3NT1NEL # more":    "quote the value",
		"A=#S3NT1NEL":          "quote the value",
		"A=x\nA=S3NT1NEL":      "line 2 has a name",
		`{"A": S3NT1NEL}`:      "no JSON object",
		`{"A": ["S3NT1NEL"]}`:  `"A" is no text`,
		`{"A": "S3NT1NEL"} x`:  "no JSON object",
		`{"A": null}`:          `"A" is no text`,
	} {
		values, err := names(text)
		if err == nil {
			t.Errorf("%q gave %d values", text, len(values))
		} else if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), sentinel) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Whatever is written into quotes comes back.
func FuzzNames(f *testing.F) {
	for _, s := range nasty {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsAny(s, "\r") {
			return // has no form but a JSON one
		}
		quoted := strings.NewReplacer("\n", `\n`, `"`, `\"`, `\`, `\\`, "$", `\$`, "`", "\\`").Replace(s)
		values, err := names("X=1\nA=\"" + quoted + "\"  # more\n")
		if err != nil || values["A"].plain() != s {
			t.Errorf("%q came back as %q, %v", s, values["A"].plain(), err)
		}
		names(s)
	})
}

package certificate

import (
	"encoding/pem"
	"errors"
	"strings"

	"golang.org/x/crypto/ssh"
)

// SSHKey says why git could not read a repository by a text as its private key, as what
// follows the word key; empty: it could, or the kind of key is not known here.
func SSHKey(text string) string {
	text = strings.TrimSpace(text)
	if _, err := ssh.ParseRawPrivateKey([]byte(text)); err == nil {
		return ""
	} else if locked := (*ssh.PassphraseMissingError)(nil); errors.As(err, &locked) || strings.HasPrefix(text, "-----BEGIN ENCRYPTED PRIVATE KEY-----") {
		return "has a passphrase, which nobody can type there: ssh-keygen -p -N '' -f FILE takes it away"
	} else if block, _ := pem.Decode([]byte(text)); block != nil && block.Type == "OPENSSH PRIVATE KEY" && strings.Contains(err.Error(), "unhandled") {
		return "" // a kind that OpenSSH may know
	}
	_, _, _, _, err := ssh.ParseAuthorizedKey([]byte(text))
	switch {
	case err == nil, strings.HasPrefix(text, "---- BEGIN SSH2 PUBLIC KEY"), strings.Contains(text, "PUBLIC KEY-----"):
		return "is the public half: the private one is in the file without .pub"
	case strings.HasPrefix(text, "PuTTY-User-Key-File"):
		return "is in the form of PuTTY: puttygen FILE -O private-openssh -o NEW writes it in that of OpenSSH"
	case strings.HasPrefix(text, "-----BEGIN CERTIFICATE"):
		return "is a certificate"
	}
	return "is no private key that ssh reads (-----BEGIN OPENSSH PRIVATE KEY-----)"
}

package remote

import (
	"context"
	"net"
	"os/exec"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/diag"
)

// rsync brings the content of local folders into one on the host. linkDest is
// a folder there with files that need not be sent again; empty: none.
func (c *conn) rsync(ctx context.Context, from []string, to, linkDest string) error {
	// By content: two files of one size and time may differ. The modes are the
	// manifest's, which activate sets.
	args := []string{"-rc", "--chmod=D755,F644"}
	if linkDest != "" {
		args = append(args, "--link-dest="+linkDest)
	}
	remote := append([]string{"ssh", "-o", "ControlMaster=no", "-o", "ControlPath=" + c.socket}, c.options...)
	for i, w := range remote {
		if strings.ContainsAny(w, " '\"") {
			remote[i] = "'" + strings.ReplaceAll(w, "'", "''") + "'"
		}
	}
	args = append(args, "-e", strings.Join(remote, " "))
	args = append(args, "--rsync-path="+sudo+" rsync", "--")
	for _, dir := range from {
		args = append(args, dir+"/")
	}
	address := c.host.SSHAddress
	if ip := net.ParseIP(address); ip != nil && ip.To4() == nil {
		address = "[" + address + "]"
	}
	cmd := exec.CommandContext(ctx, "rsync", append(args, address+":"+to+"/")...)
	said := &tail{}
	cmd.Stderr, cmd.Env = said, c.env
	apart(cmd)
	cmd.WaitDelay = 2 * time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		text := said.String()
		if text == "" {
			text = err.Error()
		}
		return diag.WithRemedy("rsync: "+text, remedy(text))
	}
	return nil
}

package project

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// Limits on what is read of a project.
const (
	maxFile  = 4 << 20  // bytes of a file
	maxAll   = 32 << 20 // bytes of all of them
	maxFiles = 200
	maxTime  = 60 * time.Second // for all that is fetched
)

// newlines makes line ends those that Python reads.
var newlines = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// reserved are the networks that are nobody's on the internet, or lead to others: what a
// project names is fetched from none of them. The rest is netip's to tell.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"),
}

// isPrivate tells whether an address is not one of the internet.
func isPrivate(ip netip.Addr) bool {
	ip = ip.Unmap()
	for _, p := range reserved {
		if p.Contains(ip) {
			return true
		}
	}
	return !ip.IsGlobalUnicast() || ip.IsPrivate()
}

var errPrivate = errors.New("its address is private: plonec fetches from the internet alone")

// A fetcher gets what extends names by http and https, each once.
type fetcher struct {
	ctx    context.Context
	client *http.Client
	got    map[string]fetched
}

type fetched struct {
	text []byte
	err  error
}

// newFetcher makes one that connects to no address that refused tells. It is asked
// about the address that a name led to, at each connection.
func newFetcher(ctx context.Context, refused func(netip.Addr) bool) *fetcher {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || refused(to.Addr()) {
			return errPrivate
		}
		return nil
	}}
	return &fetcher{ctx, &http.Client{
		// No proxy: it would look up the name itself, and might be asked for any address.
		Transport: &http.Transport{DialContext: dialer.DialContext, ForceAttemptHTTP2: true, ResponseHeaderTimeout: 20 * time.Second, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(to *http.Request, via []*http.Request) error {
			if len(via) > 5 {
				return errors.New("it redirects too often")
			}
			if to.URL.Scheme != "https" && to.URL.Scheme != "http" {
				return errors.New("it redirects to something other than http and https")
			}
			return nil
		},
	}, map[string]fetched{}}
}

func (f *fetcher) fetch(url string) ([]byte, error) {
	if known, ok := f.got[url]; ok {
		return known.text, known.err
	}
	text, err := f.get(url)
	f.got[url] = fetched{text, err}
	return text, err
}

func (f *fetcher) get(url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(f.ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, errors.New("it is not a URL")
	}
	if request.URL.User != nil {
		return nil, errors.New("it has a user or a password in it")
	}
	response, err := f.client.Do(request)
	if err != nil {
		if errors.Is(err, errPrivate) {
			return nil, errPrivate
		}
		var inner interface{ Unwrap() error }
		if errors.As(err, &inner) && inner.Unwrap() != nil {
			err = inner.Unwrap() // without the URL, which the message has
		}
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answers %d", response.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("it has more than %d MiB", maxFile>>20)
	}
	return text, err
}

package meter

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Ledger asks for every token that was written and how often. The address is
// that of a Load; an empty host is the address.
func Ledger(ctx context.Context, address, host string) (map[string]int, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(address, "/")+"/@@e2e-ledger", nil)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	req.Host = host
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ledger: %s answers %s", req.URL, resp.Status)
	}
	var ledger map[string]int
	if err := json.NewDecoder(resp.Body).Decode(&ledger); err != nil {
		return nil, fmt.Errorf("ledger: %s: %w", req.URL, err)
	}
	return ledger, nil
}

// A Verdict is what a ledger says of the writes of one load.
type Verdict struct {
	Lost    []string // answered with success, and not there
	Doubled []string // there more than once
	Foreign []string // begins as the load's tokens do, and was never sent

	Answered int // writes that were answered with success
	Unknown  int // writes that failed
	Done     int // of those: there nonetheless, as a write may be whose answer was lost
}

// OK tells whether no write was lost, done twice or made up.
func (v Verdict) OK() bool { return len(v.Lost)+len(v.Doubled)+len(v.Foreign) == 0 }

// String says it on a line.
func (v Verdict) String() string {
	s := fmt.Sprintf("%d writes answered, %d lost, %d doubled; %d failed, of which %d were done",
		v.Answered, len(v.Lost), len(v.Doubled), v.Unknown, v.Done)
	for _, list := range []struct {
		name   string
		tokens []string
	}{{"lost", v.Lost}, {"doubled", v.Doubled}, {"never sent", v.Foreign}} {
		if len(list.tokens) > 0 {
			s += fmt.Sprintf("; %s: %s", list.name, strings.Join(list.tokens, " "))
		}
	}
	return s
}

// Verify compares the writes with a ledger that was read after them: a write that
// was answered with success is there exactly once, one that failed at most once.
// Tokens of other loads are left alone.
func (r *Result) Verify(ledger map[string]int) Verdict {
	v := Verdict{Answered: len(r.Answered), Unknown: len(r.Unknown)}
	for _, token := range r.Answered {
		if ledger[token] == 0 {
			v.Lost = append(v.Lost, token)
		}
	}
	for _, token := range r.Unknown {
		if ledger[token] > 0 {
			v.Done++
		}
	}
	for token, n := range ledger {
		if !strings.HasPrefix(token, r.Run) {
			continue
		}
		if n > 1 {
			v.Doubled = append(v.Doubled, token)
		}
		if !r.sent[token] {
			v.Foreign = append(v.Foreign, token)
		}
	}
	slices.Sort(v.Lost)
	slices.Sort(v.Doubled)
	slices.Sort(v.Foreign)
	return v
}

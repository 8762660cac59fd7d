package hosts

import "time"

// How long a host may take for a step of the work. What only looks or switches has
// remote.QuickTimeout.
const (
	stageTimeout = 5 * time.Minute  // to get its files over a slow line
	setupTime    = 30 * time.Minute // for a bare one to install packages
	fetchTime    = 30 * time.Minute // to fetch an app's repository for the first time
	activateTime = 10 * time.Minute // to bring files in and reload daemons
	buildTime    = 2 * time.Hour    // to build a release
	rollTime     = 2 * time.Hour    // to restart many clients with a long restart_delay
	lookTime     = 30 * time.Minute // to look through what is among its releases
)

// gateTime is how many seconds the balancers have to see a client.
const gateTime = 60

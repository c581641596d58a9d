package clients

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	pd "github.com/tikv/pd/client"
	"github.com/tikv/pd/client/opt"
	"github.com/tikv/pd/client/pkg/caller"
)

// group is three servers of ours on the loopback.
type group struct {
	t     *testing.T
	names []string
	urls  []string
	args  [][]string
	procs []*exec.Cmd
	dir   string
}

var taken = map[int]bool{}

// freePort finds a port below the range of outgoing connections, so that a server can be restarted on it.
func freePort(t *testing.T) int {
	for range 1000 {
		p := 30000 + rand.IntN(2700)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", p))
		if err != nil || taken[p] {
			continue
		}
		_ = l.Close()
		taken[p] = true
		return p
	}
	t.Fatal("no free port")
	return 0
}

func startGroup(t *testing.T) *group {
	server := os.Getenv("PD_SERVER")
	if server == "" {
		t.Fatal("PD_SERVER names no program")
	}
	g := &group{t: t, dir: t.TempDir(), procs: make([]*exec.Cmd, 3)}
	var initial, peers []string
	for i := range 3 {
		g.names = append(g.names, fmt.Sprintf("pd%d", i+1))
		g.urls = append(g.urls, fmt.Sprintf("http://127.0.0.1:%d", freePort(t)))
		peers = append(peers, fmt.Sprintf("http://127.0.0.1:%d", freePort(t)))
		initial = append(initial, g.names[i]+"="+peers[i])
	}
	for i := range 3 {
		base := filepath.Join(g.dir, g.names[i])
		g.args = append(g.args, []string{server, "--name", g.names[i], "--data-dir", base, "--client-urls", g.urls[i],
			"--peer-urls", peers[i], "--initial-cluster", strings.Join(initial, ","), "--log-file", base + ".log"})
		g.start(i)
	}
	t.Cleanup(func() {
		for i := range g.procs {
			g.kill(i)
		}
	})
	g.waitMembers()
	return g
}

// waitMembers waits until the leader tells of all members where clients reach them: a client that asks before drops
// the URLs it was given for the fewer ones it hears of, and knows nobody else when these die.
func (g *group) waitMembers() {
	for range 3000 {
		var list struct {
			Members []struct {
				ClientURLs []string `json:"client_urls"`
			} `json:"members"`
		}
		resp, err := http.Get(g.urls[g.waitLeader()] + "/pd/api/v1/members")
		if err == nil {
			err = json.NewDecoder(resp.Body).Decode(&list)
			_ = resp.Body.Close()
		}
		known := 0
		for _, member := range list.Members {
			if len(member.ClientURLs) > 0 {
				known++
			}
		}
		if err == nil && known == len(g.urls) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	for i, name := range g.names {
		g.t.Logf("%s at %s:\n%s", name, g.urls[i], tail(filepath.Join(g.dir, name+".log")))
	}
	g.t.Fatal("not all members have told where they are")
}

// tail is the end of a file, as far as it helps a reader.
func tail(path string) string {
	const most = 4000
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-most):])
}

func (g *group) start(i int) {
	cmd := exec.Command(g.args[i][0], g.args[i][1:]...)
	out, err := os.OpenFile(filepath.Join(g.dir, g.names[i]+".out"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		g.t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		g.t.Fatal(err)
	}
	_ = out.Close()
	g.procs[i] = cmd
}

func (g *group) kill(i int) {
	if g.procs[i] == nil {
		return
	}
	_ = g.procs[i].Process.Kill()
	_, _ = g.procs[i].Process.Wait()
	g.procs[i] = nil
}

// metrics is a member's metrics page.
func (g *group) metrics(url string) string {
	resp, err := http.Get(url + "/metrics")
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return string(page)
}

// leader is the index of the member that says of itself that it leads, or -1.
func (g *group) leader() int {
	for i, url := range g.urls {
		client := http.Client{Timeout: 500 * time.Millisecond}
		resp, err := client.Get(url + "/pd/api/v1/leader")
		if err != nil {
			continue
		}
		var member struct {
			Name string `json:"name"`
		}
		err = json.NewDecoder(resp.Body).Decode(&member)
		_ = resp.Body.Close()
		if err == nil && member.Name == g.names[i] {
			return i
		}
	}
	return -1
}

func (g *group) waitLeader() int {
	for range 1000 {
		if i := g.leader(); i >= 0 {
			return i
		}
		time.Sleep(20 * time.Millisecond)
	}
	g.t.Fatal("no leader")
	return -1
}

// connect makes a client of the real client module.
func (g *group) connect(opts ...opt.ClientOption) pd.Client {
	var err error
	for range 20 {
		var c pd.Client
		if c, err = pd.NewClientWithContext(context.Background(), caller.TestComponent, g.urls, pd.SecurityOption{}, opts...); err == nil {
			g.t.Cleanup(c.Close)
			return c
		}
	}
	g.t.Fatal(err)
	return nil
}

// patiently repeats a call until it succeeds: the client reports a change of the leader as errors.
func patiently(t *testing.T, what string, call func(context.Context) error) {
	t.Helper()
	var err error
	for range 30 {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		err = call(ctx)
		cancel()
		if err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s: %v", what, err)
}

package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// group is the set of servers that one scenario talks to.
type group struct {
	addrs []string // client URLs, in the order pd1, pd2, pd3
	peers []string
	procs []*exec.Cmd
	args  [][]string
	dir   string
	bin   string
}

func (g *group) stop() {
	for _, p := range g.procs {
		if p != nil && p.Process != nil {
			_ = p.Process.Kill()
			_, _ = p.Process.Wait()
		}
	}
	g.procs = nil
	if g.dir != "" && os.Getenv("GOLDEN_KEEP") == "" {
		_ = os.RemoveAll(g.dir)
	}
}

func (g *group) startOne(i int) error {
	cmd := exec.Command(g.bin, g.args[i]...)
	cmd.Dir = g.dir
	cmd.Env = append(os.Environ(), "TZ=UTC")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := os.Create(filepath.Join(g.dir, fmt.Sprintf("out%d.txt", i+1)))
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return err
	}
	g.procs[i] = cmd
	return nil
}

var (
	takenMu sync.Mutex
	taken   = map[int]bool{}
)

// pickPorts returns the ports from `first` on (20 for each job), or free ones if `first` is 0. Free ports are taken below
// the range that the kernel gives to outgoing connections, so that a server can be restarted on its port.
func pickPorts(first, job, n int) []int {
	var ports []int
	if first > 0 {
		for i := 0; i < n; i++ {
			ports = append(ports, first+job*20+i)
		}
		return ports
	}
	takenMu.Lock()
	defer takenMu.Unlock()
	for len(ports) < n {
		p := 30000 + rand.IntN(2700)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", p))
		if err != nil {
			continue
		}
		l.Close()
		if !taken[p] {
			taken[p] = true
			ports = append(ports, p)
		}
	}
	return ports
}

func startGroup(o *options, job, members int, config string) (*group, error) {
	dir, err := filepath.Abs(filepath.Join(o.work, fmt.Sprintf("job%d", job)))
	if err != nil {
		return nil, err
	}
	_ = os.RemoveAll(dir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	bin, err := filepath.Abs(o.server)
	if err != nil {
		return nil, err
	}
	g := &group{dir: dir, bin: bin, procs: make([]*exec.Cmd, members)}
	ports := pickPorts(o.port, job, 2*members)
	var initial []string
	for i := 0; i < members; i++ {
		g.addrs = append(g.addrs, fmt.Sprintf("http://127.0.0.1:%d", ports[2*i]))
		g.peers = append(g.peers, fmt.Sprintf("http://127.0.0.1:%d", ports[2*i+1]))
		initial = append(initial, fmt.Sprintf("pd%d=%s", i+1, g.peers[i]))
	}
	for i := 0; i < members; i++ {
		name := fmt.Sprintf("pd%d", i+1)
		args := []string{"--name", name, "--data-dir", filepath.Join(dir, name), "--client-urls", g.addrs[i],
			"--peer-urls", g.peers[i], "--log-file", filepath.Join(dir, name+".log"),
			"--initial-cluster", strings.Join(initial, ",")}
		if config != "" {
			f := filepath.Join(dir, name+".toml")
			if err := os.WriteFile(f, []byte(config), 0o644); err != nil {
				return nil, err
			}
			args = append(args, "--config", f)
		}
		args = append(args, strings.Fields(o.extra)...)
		g.args = append(g.args, args)
		if err := g.startOne(i); err != nil {
			g.stop()
			return nil, err
		}
	}
	return g, nil
}

// waitReady waits until the group has a leader that hands out timestamps.
func waitReady(addrs []string, within time.Duration) error {
	cl := &http.Client{Timeout: 2 * time.Second}
	deadline := time.Now().Add(within)
	for time.Now().Before(deadline) {
		ok := true
		for _, a := range addrs {
			resp, err := cl.Get(a + "/pd/api/v1/leader")
			if err != nil {
				ok = false
				break
			}
			resp.Body.Close()
			if resp.StatusCode != 200 {
				ok = false
				break
			}
		}
		if ok && tsoReady(addrs) {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("no leader within %s", within)
}

func tsoReady(addrs []string) bool {
	var c conns
	defer c.close()
	for _, a := range addrs {
		cc, err := c.get(a)
		if err != nil {
			return false
		}
		info := clusterInfo(cc)
		if info.cluster == "" {
			return false
		}
		if info.leader == "" {
			return false
		}
		lc, err := c.get(info.leader)
		if err != nil {
			return false
		}
		s, err := openStream(lc, "pdpb.PD/Tso", nil)
		if err != nil {
			return false
		}
		m, _ := toMessage("pdpb.TsoRequest", []byte(fmt.Sprintf(`{"header":{"cluster_id":"%s"},"count":1}`, info.cluster)))
		if err := s.cs.SendMsg(m); err != nil {
			s.cancel()
			return false
		}
		s.start()
		select {
		case v := <-s.recv:
			s.cancel()
			got, _ := v.(map[string]any)
			if _, ok := got["received"]; !ok {
				return false
			}
		case <-time.After(2 * time.Second):
			s.cancel()
			return false
		}
	}
	return true
}

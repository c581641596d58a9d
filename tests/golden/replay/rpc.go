package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	_ "github.com/pingcap/kvproto/pkg/keyspacepb"
	_ "github.com/pingcap/kvproto/pkg/meta_storagepb"
	_ "github.com/pingcap/kvproto/pkg/pdpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

type method struct {
	in, out          string
	clientS, serverS bool
}

var (
	methods  = map[string]method{}
	messages = map[string]protoreflect.MessageDescriptor{}
)

// The published kvproto module is older than the recordings: it lacks the GC states and the count of AllocID. So messages
// are built from descriptors: those of our own proto/ where given (loadDescriptors), kvproto's for packages we have not.
// TestWireAgrees holds the two against each other.
func init() {
	addFiles(protoregistry.GlobalFiles)
}

func addFiles(files *protoregistry.Files) {
	files.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := 0; i < f.Services().Len(); i++ {
			s := f.Services().Get(i)
			for j := 0; j < s.Methods().Len(); j++ {
				m := s.Methods().Get(j)
				methods[string(s.FullName())+"/"+string(m.Name())] = method{
					in: string(m.Input().FullName()), out: string(m.Output().FullName()),
					clientS: m.IsStreamingClient(), serverS: m.IsStreamingServer(),
				}
			}
		}
		addMessages(f.Messages())
		return true
	})
}

func addMessages(ms protoreflect.MessageDescriptors) {
	for i := 0; i < ms.Len(); i++ {
		messages[string(ms.Get(i).FullName())] = ms.Get(i)
		addMessages(ms.Get(i).Messages())
	}
}

func readDescriptors(file string) (*protoregistry.Files, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(b, set); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return protodesc.NewFiles(set)
}

// loadDescriptors lets the messages of a descriptor set (protoc --descriptor_set_out) replace kvproto's.
func loadDescriptors(file string) error {
	files, err := readDescriptors(file)
	if err == nil {
		addFiles(files)
	}
	return err
}

func newMessage(name string) (proto.Message, error) {
	d := messages[name]
	if d == nil {
		return nil, fmt.Errorf("unknown message %s", name)
	}
	return dynamicpb.NewMessage(d), nil
}

func toMessage(name string, raw json.RawMessage) (proto.Message, error) {
	m, err := newMessage(name)
	if err != nil {
		return nil, err
	}
	if len(raw) == 0 {
		raw = json.RawMessage("{}")
	}
	if err := protojson.Unmarshal(raw, m); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

func fromMessage(m proto.Message) (any, error) {
	b, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		return nil, err
	}
	v, err := decodeJSON(b)
	if err == nil {
		nullEmptyValues(m.ProtoReflect(), v)
	}
	return v, err
}

// nullEmptyValues writes null for map entries without a value: so the recordings show them. (On the wire an entry without
// a value and one with an empty message mean the same.)
func nullEmptyValues(m protoreflect.Message, v any) {
	fields, _ := v.(map[string]any)
	m.Range(func(f protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		name := string(f.Name())
		switch {
		case f.IsMap() && f.MapValue().Message() != nil:
			entries, _ := fields[name].(map[string]any)
			value.Map().Range(func(k protoreflect.MapKey, e protoreflect.Value) bool {
				if proto.Size(e.Message().Interface()) == 0 {
					entries[k.String()] = nil
				} else {
					nullEmptyValues(e.Message(), entries[k.String()])
				}
				return true
			})
		case f.IsList() && f.Message() != nil:
			list, _ := fields[name].([]any)
			for i := range list {
				nullEmptyValues(value.List().Get(i).Message(), list[i])
			}
		case !f.IsMap() && f.Message() != nil:
			nullEmptyValues(value.Message(), fields[name])
		}
		return true
	})
}

func decodeJSON(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("trailing data")
	}
	return v, nil
}

// hasHeader says whether the message has a "header" field with a cluster_id.
func hasHeader(name string) bool {
	d := messages[name]
	if d == nil {
		return false
	}
	f := d.Fields().ByName("header")
	return f != nil && f.Message() != nil && f.Message().Fields().ByName("cluster_id") != nil
}

type conns struct {
	mu sync.Mutex
	m  map[string]*grpc.ClientConn
}

func (c *conns) get(addr string) (*grpc.ClientConn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil {
		c.m = map[string]*grpc.ClientConn{}
	}
	if cc, ok := c.m[addr]; ok {
		return cc, nil
	}
	cc, err := grpc.NewClient("passthrough:///"+strings.TrimPrefix(addr, "http://"),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	if err == nil {
		c.m[addr] = cc
	}
	return cc, err
}

func (c *conns) close() {
	for _, cc := range c.m {
		_ = cc.Close()
	}
	c.m = nil
}

func withMD(ctx context.Context, md map[string]string) context.Context {
	for k, v := range md {
		ctx = metadata.AppendToOutgoingContext(ctx, k, v)
	}
	return ctx
}

func callUnary(cc *grpc.ClientConn, full string, req json.RawMessage, md map[string]string, timeout time.Duration) (any, error) {
	m, ok := methods[full]
	if !ok {
		return nil, fmt.Errorf("unknown method %s", full)
	}
	in, err := toMessage(m.in, req)
	if err != nil {
		return nil, err
	}
	out, err := newMessage(m.out)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(withMD(context.Background(), md), timeout)
	defer cancel()
	if err := cc.Invoke(ctx, "/"+full, in, out); err != nil {
		return statusJSON(err), nil
	}
	resp, err := fromMessage(out)
	if err != nil {
		return nil, err
	}
	return map[string]any{"code": "OK", "response": resp}, nil
}

func statusJSON(err error) map[string]any {
	s, _ := status.FromError(err)
	return map[string]any{"code": codeName(s.Code()), "message": s.Message()}
}

func codeName(c codes.Code) string { return c.String() }

type stream struct {
	cs     grpc.ClientStream
	m      method
	cancel context.CancelFunc
	recv   chan any
	began  bool
}

func (s *stream) started() bool { return s.began }

func openStream(cc *grpc.ClientConn, full string, md map[string]string) (*stream, error) {
	m, ok := methods[full]
	if !ok {
		return nil, fmt.Errorf("unknown method %s", full)
	}
	ctx, cancel := context.WithCancel(withMD(context.Background(), md))
	desc := &grpc.StreamDesc{StreamName: full, ClientStreams: m.clientS, ServerStreams: m.serverS}
	cs, err := cc.NewStream(ctx, desc, "/"+full)
	if err != nil {
		cancel()
		return nil, err
	}
	return &stream{cs: cs, m: m, cancel: cancel, recv: make(chan any, 4096)}, nil
}

func (s *stream) start() {
	s.began = true
	go func() {
		for {
			out, err := newMessage(s.m.out)
			if err == nil {
				err = s.cs.RecvMsg(out)
			}
			if err == io.EOF {
				s.recv <- map[string]any{"closed": map[string]any{"code": "OK"}}
				close(s.recv)
				return
			}
			if err != nil {
				s.recv <- map[string]any{"closed": statusJSON(err)}
				close(s.recv)
				return
			}
			v, err := fromMessage(out)
			if err != nil {
				v = err.Error()
			}
			s.recv <- map[string]any{"received": v}
			if !s.m.serverS {
				close(s.recv)
				return
			}
		}
	}()
}

#pragma once

#include <string>
#include <string_view>

#include <grpcpp/support/byte_buffer.h>

namespace google::protobuf {
class MessageLite;
}  // namespace google::protobuf

// Messages to gRPC's byte buffers and back. Only files of the transport include this.

namespace api {

/// Encodes into one slice.
[[nodiscard]] grpc::ByteBuffer Encode(const google::protobuf::MessageLite& message);

/// False when the bytes are no such message; it is then cleared or half filled.
[[nodiscard]] bool Decode(const grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message);

[[nodiscard]] grpc::ByteBuffer FromString(std::string_view bytes);
[[nodiscard]] std::string ToString(const grpc::ByteBuffer& bytes);

}  // namespace api

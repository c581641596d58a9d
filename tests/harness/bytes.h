#pragma once

#include <string>

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>

namespace harness {

/// Messages travel as bytes (no generated stubs): the two ways over.
grpc::ByteBuffer ToBuffer(const google::protobuf::MessageLite& message);
bool FromBuffer(grpc::ByteBuffer& buffer, google::protobuf::MessageLite& message);

}  // namespace harness

"""A name server in the hands of a test: it answers MX questions as it is told, over UDP and TCP, well or badly."""

import socket
import struct
import threading
import time

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


def mx(message, hosts):
    """An answer with these hosts."""
    reply = dns.message.make_response(message)
    reply.flags |= dns.flags.AA
    name = message.question[0].name
    if hosts:
        reply.answer.append(dns.rrset.from_text(name, 60, "IN", "MX", *[f"10 {host}." for host in hosts]))
    else:
        reply.authority.append(dns.rrset.from_text(name, 60, "IN", "SOA", ". . 1 1 1 1 1"))
    return reply


def wire(reply):
    """Its octets, of any number."""
    return reply.to_wire(max_size=65535)


def failure(rcode):
    def answer(message, tcp):
        del tcp
        reply = dns.message.make_response(message)
        reply.set_rcode(rcode)
        return reply.to_wire()
    return answer


def silent(message, tcp):
    del message, tcp


class MxServer:
    """On a port of 127.0.0.1. ANSWERS are by name, without the final dot: a list of hosts, or a function of
    the question and whether it came over TCP to the octets of the reply, or None for none."""

    def __init__(self, port):
        self.port = port
        self.answers = {}
        self.otherwise = []
        self.asked = []
        self.delay = 0
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", port))
        self.tcp = socket.create_server(("127.0.0.1", port))
        self.stopping = False
        self.threads = [threading.Thread(target=loop, daemon=True) for loop in (self.serve_udp, self.serve_tcp)]
        for thread in self.threads:
            thread.start()

    def reply(self, octets, tcp):
        message = dns.message.from_wire(octets)
        name = message.question[0].name.to_text(omit_final_dot=True).lower()
        self.asked.append(name)
        answer = self.answers.get(name, self.otherwise)
        return answer(message, tcp) if callable(answer) else wire(mx(message, answer))

    def serve_udp(self):
        while True:
            octets, peer = self.udp.recvfrom(65535)
            if self.stopping:
                return
            time.sleep(self.delay)
            reply = self.reply(octets, False)
            if reply is not None:
                self.udp.sendto(reply, peer)

    def serve_tcp(self):
        while True:
            peer, _ = self.tcp.accept()
            with peer:
                if self.stopping:
                    return
                octets = peer.recv(65535)
                reply = self.reply(octets[2:], True)
                if reply is not None:
                    peer.sendall(struct.pack(">H", len(reply)) + reply)

    def stop(self):
        self.stopping = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1", self.port))
        socket.create_connection(("127.0.0.1", self.port)).close()
        for thread in self.threads:
            thread.join()
        self.udp.close()
        self.tcp.close()

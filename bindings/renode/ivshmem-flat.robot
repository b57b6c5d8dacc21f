# SPDX-License-Identifier: BSD-3-Clause
# Two Cortex-M3 in Renode and a program of the host send each other messages:
#
#     renode-test ivshmem-flat.robot --variable SERVER:.../ivflat-server --variable PEER:.../host-peer
#         --variable ELF:.../demo-lm3s6965evb.elf
#
# where LD_LIBRARY_PATH names the folder of libivflat.so.0, if it is not installed.
*** Settings ***
Library                         Process
Library                         OperatingSystem
Test Teardown                   Run Keywords    Terminate All Processes    Test Teardown

*** Variables ***
${SERVER}                       ivflat-server
${PEER}                         host-peer
${ELF}                          ${CURDIR}/demo-lm3s6965evb.elf
${ONE_PAGE}                     ivflat: Miscellaneous.IvshmemFlat @ sysbus 0x400ff000 { size: 4096 }

*** Keywords ***
Start Server
    ${folder} =                 Evaluate    tempfile.mkdtemp(prefix='ivflat-')    modules=tempfile
    Set Test Variable           ${SOCKET}    ${folder}/socket
    Start Process               ${SERVER}    -F    -S    ${SOCKET}    -n    2    -l    4M
    Wait Until Keyword Succeeds    10s    0.1s    File Should Exist    ${SOCKET}

Create Two Machines
    Execute Command             $socket="${SOCKET}"
    Execute Command             $elf=@${ELF}
    Execute Script              ${CURDIR}/demo.resc
    ${one} =                    Create Terminal Tester    sysbus.uart    machine=one    timeout=60
    ${two} =                    Create Terminal Tester    sysbus.uart    machine=two    timeout=60
    Set Test Variable           ${ONE}    ${one}
    Set Test Variable           ${TWO}    ${two}

*** Test Cases ***
Machines And The Host Should Exchange Messages
    Start Server
    Create Two Machines
    ${peer} =                   Start Process    ${PEER}    --time    60    ${SOCKET}    stderr=STDOUT
    Start Emulation
    Wait For Line On Uart       peer 0: sent 2000, received 2000, bad 0    testerId=${ONE}
    Wait For Line On Uart       peer 1: sent 2000, received 2000, bad 0    testerId=${TWO}
    ${result} =                 Wait For Process    ${peer}    timeout=60
    Should Be Equal As Integers    ${result.rc}    0    ${result.stdout}

A Wrong Size Should Be Refused In One Sentence
    Start Server
    Execute Command             include @${CURDIR}/IvshmemFlat.cs
    Execute Command             mach create
    Execute Command             machine LoadPlatformDescriptionFromString "${ONE_PAGE}"
    Run Keyword And Expect Error    *the shared memory has 4194304 bytes, 4096 are asked for*
    ...                         Execute Command    sysbus.ivflat Connect "${SOCKET}"
